"""IPTC Media Topics of a story."""

from __future__ import annotations

from processors.story import Event, Topic


def find_topics(event: Event) -> tuple[Topic, ...]:
    """The topics that the publisher's codes or the text tell, surest first."""
    return ()
