"""Rules of the tagger beside its recogniser, one kind of name or correction a module."""
