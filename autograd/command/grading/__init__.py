"""Derivative rules of a student: what is asked, what is answered, and the mark it gets."""
