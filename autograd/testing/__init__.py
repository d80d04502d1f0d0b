"""What a test suite takes from here: random graphs and networks, failures as files, the plugin."""
