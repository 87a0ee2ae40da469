"""What an operator sets, and the data that the processors read."""
