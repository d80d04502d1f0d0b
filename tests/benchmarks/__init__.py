"""What ``python -m tests.benchmarks`` measures, beside whom, and what is wanted.

Read `benchmarks` for the figures, `works` and `peers` for what is computed, `measurement` for how.
"""
