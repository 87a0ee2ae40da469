"""Whether a story still stands: what kills and corrections do to the members of a chain.

A kill hides every member of its chain up to its own sequence number; a story that is sent again afterwards stands.
A correction hides the story that it corrects, and earlier corrections of the same story. Both work by marks that an
index keeps beside its stories, so that the order in which events arrive does not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from processors.model.event import Event, Lineage
from sinks.desk.views import Hidden

MarkKind = Literal["kill", "correction"]


@dataclass(frozen=True, slots=True)
class Mark:
    """A kill of the chain `target`, or a correction of the story `target`; `by` is the uri that said so."""

    kind: MarkKind
    target: str
    sequence: int
    by: str


@dataclass(frozen=True, slots=True)
class Member:
    """What decides of a story: the indices keep these figures of each."""

    uri: str
    chain: str
    relation: str
    of: str | None
    sequence: int
    canceled: bool


Marks = Callable[[MarkKind, str], Mark | None]


def lineage(event: Event) -> Lineage:
    """The event's lineage; a story that was not deduplicated stands alone."""
    return event.lineage or Lineage(event.story.uri, "new")


def member(event: Event) -> Member:
    """The figures of an event."""
    told = lineage(event)
    canceled = event.story.pub_status == "canceled"
    return Member(event.story.uri, told.story, told.relation, told.of, told.sequence, canceled)


def mark(event: Event) -> Mark | None:
    """The mark that a kill or a correction of another story leaves."""
    told, uri = lineage(event), event.story.uri
    if told.relation == "kill":
        return Mark("kill", told.story, told.sequence, uri)
    if told.relation == "correction" and told.of and told.of != uri:
        return Mark("correction", told.of, told.sequence, uri)
    return None


def standing(each: Member, marks: Marks) -> tuple[Hidden | None, str | None]:
    """Why a normal search must not find a story, and the uri that caused it; None twice where it stands."""
    kill = marks("kill", each.chain)
    if each.relation == "kill" or each.canceled:
        return "killed", each.uri
    if kill and each.sequence <= kill.sequence:
        return "killed", kill.by
    corrected = marks("correction", each.uri)
    if corrected and corrected.by != each.uri and each.sequence < corrected.sequence:
        return "corrected", corrected.by
    again = marks("correction", each.of) if each.relation == "correction" and each.of else None
    if again and again.by != each.uri and each.sequence < again.sequence:
        return "corrected", again.by
    return None, None
