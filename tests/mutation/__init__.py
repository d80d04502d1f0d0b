"""Whether the tests bite: the core with one mistake at a time, ``python -m tests.mutation``.

Read `mutants` for the mistakes, `probes` and `reach` for the tests that could notice one,
`laboratory` and `trial` for how one is tried, in the midst of all tests or from the start, and
`logbook` for what came of it. ``equivalent.toml`` says of mutants that may survive why.
"""
