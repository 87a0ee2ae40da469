"""Dates in copy and in metadata: written in feeds, printed in datelines, embargoes, and TIMEX3 expressions."""
