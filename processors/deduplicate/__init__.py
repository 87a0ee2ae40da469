"""One story once, and every version in its chain.

`Deduplicator` places each story by what came earlier, in this order: the publisher's identifiers and versions, the
publisher's links, the same text, a headline that an advisory names, and likeness (`score`). Decisions are functions
of the order of the log and the content; the memory of a decision is all that is needed to come back to after it.
"""

from __future__ import annotations

from processors.deduplicate.decide import Deduplicator, PreparedEvent, StoryDecision

__all__ = ["VERSION", "Deduplicator", "PreparedEvent", "StoryDecision"]

VERSION = "4"
