"""Routed topics: which stories go to which topic of their own."""
