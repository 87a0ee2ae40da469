"""Feeds and drop folders in, raw items out."""
