"""Whether a gradient is right, by differences of the function, and which rule is to blame."""
