"""One story once, and every version in its chain."""

from __future__ import annotations

from dataclasses import dataclass

from config.settings import Deduplicate
from processors.story import Event, Feature, Lineage

VERSION = "1"


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a story stands, why, and the compact record that restores the deduplicator to after it."""

    lineage: Lineage
    evidence: tuple[Feature, ...] = ()
    memory: bytes = b""


class Deduplicator:
    """The window of stories. Decides from what came earlier only, per language; deterministic."""

    def __init__(self, settings: Deduplicate) -> None:
        """An empty window."""
        self._settings = settings

    def decide(self, event: Event) -> Decision:
        """Place a normalised event in its chain and remember it."""
        return Decision(Lineage(event.story.uri, "new"))

    def restore(self, memory: bytes) -> None:
        """Take back the memory of an earlier decision; called in the order of the log, before any `decide`."""
