"""The command ``chainrule``: what it reads, what it prints, and one module for each subcommand."""
