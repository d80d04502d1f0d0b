"""The playground: one HTML file with an editor, a Python, and the debugger on what ran in it."""
