"""The page's engine beside the real one: what Python says of some runs, which the page must say."""
