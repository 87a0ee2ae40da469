"""Chains of invented stories, and what must be left of them once all of a chain has arrived in any order."""

from __future__ import annotations

from processors.model.event import Event
from tests.sinks.events import event


def history(n: int) -> list[Event]:
    """A chain of one of four kinds: updated in place, updated apart, corrected, killed."""
    a, b = f"urn:{n}:a", f"urn:{n}:b"
    first = event(a, headline="one", text=f"case{n}", version="1", minute=n)
    second = [
        event(
            a, headline="two", text=f"case{n}", version="2", minute=n + 1, relation="update", of=a, sequence=2
        ),
        event(b, headline="two", text=f"case{n}", minute=n + 1, relation="update", chain=a, of=a, sequence=2),
        event(
            b, headline="two", text=f"case{n}", minute=n + 1, relation="correction", chain=a, of=a, sequence=2
        ),
        event(b, headline="two", text=f"case{n}", minute=n + 1, relation="kill", chain=a, of=a, sequence=2),
    ][n % 4]
    return [first, second]


def remaining(n: int) -> set[tuple[str, str]]:
    """What a search must find of a history, once all of it has arrived."""
    a, b = f"urn:{n}:a", f"urn:{n}:b"
    return [{(a, "two")}, {(a, "one"), (b, "two")}, {(b, "two")}, set()][n % 4]
