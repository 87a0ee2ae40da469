"""Moves stories: pollers, runtimes and the command line."""
