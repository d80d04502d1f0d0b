"""Who watches the watchman: functions without a graph, their gradients, and wrong ones."""
