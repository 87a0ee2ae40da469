"""What a story is to its parent: the same again, more of it, a correction, or its end."""

from __future__ import annotations

from typing import Final

from processors.deduplicate.fingerprint import Fingerprint
from processors.deduplicate.view import View
from processors.model.event import Relation
from processors.model.story import Story
from processors.signals import Signals

DIGITS: Final = 100  # of a version that counts as a number: Python reads no number of thousands of digits


def related(
    story: Story, signals: Signals, made: Fingerprint, parent: View | None, of_same_uri: bool
) -> Relation:
    """The relation, by the publisher's status and marks first, then by versions, then by what is new in the text.

    A correction or kill is one also where its story was never seen.
    """
    if story.pub_status == "canceled" or signals.relation == "kill":
        return "kill"
    same = parent is not None and parent.content == made.content
    if signals.relation == "correction" and not (same and parent and parent.relation == "correction"):
        return "correction"
    if parent is None:
        return "new"
    if of_same_uri:
        return "duplicate" if _is_older(story.version, parent.version) else "update"
    if same:
        return "duplicate"
    return "update" if signals.relation == "update" or _adds(made, parent) else "duplicate"


def _is_older(version: str | None, known: str) -> bool:
    """Whether a version came after a later one; versions that are not numbers have no order but the log's."""
    if not version or not version.isdecimal() or not known.isdecimal():
        return False
    return max(len(version), len(known)) <= DIGITS and int(version) < int(known)


def _adds(made: Fingerprint, parent: View) -> bool:
    """Whether the story tells figures that the parent does not."""
    return bool(set(made.numbers.tolist()).difference(parent.marks().numbers))
