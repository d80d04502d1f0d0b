"""Whether the tests bite: the core with one mistake at a time, ``python -m tests.mutation``.

Read `mutants` for the mistakes, `reach` for the tests that could notice one, `laboratory` and
`trial` for how one is tried, in the midst of all tests or from the start. ``equivalent.toml`` says
of mutants that may survive why.
"""
