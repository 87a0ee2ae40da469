"""How a dispatch is laid out: its lines, what kind each is, and the agencies' conventions."""
