"""Quotations, their cues and their speakers."""
