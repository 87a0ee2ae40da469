"""The embedded runtime: the topology on one machine, on a log in SQLite."""
