"""Hands stories on: search indices, topics and the desk."""
