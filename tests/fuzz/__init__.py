"""Inputs by the thousand, each from a seed: nothing hangs, breaks or goes wrong in silence."""
