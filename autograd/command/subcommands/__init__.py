"""What ``chainrule`` can be asked for: a module a subcommand, loaded when it is called."""
