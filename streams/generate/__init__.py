"""Writes the files of `config/` that follow from code or packages: `make schemas`, `make places`."""
