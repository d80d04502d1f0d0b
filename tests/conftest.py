"""What all tests share: one Hypothesis profile, so that every run tries the same examples."""

from hypothesis import settings

settings.register_profile("fixed", derandomize=True, database=None, deadline=None)
settings.load_profile("fixed")
