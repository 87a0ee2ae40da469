"""The commands of the command line, one module each; `streams.cli` loads them lazily."""
