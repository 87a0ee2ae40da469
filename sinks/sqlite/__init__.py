"""Stories in SQLite: the index of the embedded runtime."""
