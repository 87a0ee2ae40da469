"""Understands stories: pure functions, no I/O, no clock."""
