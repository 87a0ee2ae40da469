"""What a reader of one format found in one item, before the steps that all formats share."""

from __future__ import annotations

from dataclasses import dataclass

from processors.errors import TooLarge
from processors.model.event import DamageKind
from processors.model.story import Story


@dataclass(frozen=True, slots=True)
class Reading:
    """One item as its format tells it.

    `story` holds every property that the format has a place for; its `uri` is empty where the publisher sent no
    identifier, and its headlines and bodies hold what stands beside the main ones. `text` is the readable body,
    not yet clean. `laid_out` says that headline, byline, slug and notes may stand in `text` itself.
    `is_clean` says that it is clean all the same.
    `damage` is what was wrong with the document as a whole. `markup` is the HTML of the body as it was sent, if any.
    """

    format: str
    story: Story
    headline: str = ""
    text: str = ""
    laid_out: bool = False
    damage: tuple[DamageKind, ...] = ()
    markup: str = ""
    is_clean: bool = False


def left_out(count: int, limit: int) -> list[TooLarge]:
    """What to tell of the entries that a document holds over the limit; nothing where it holds none."""
    if count <= limit:
        return []
    return [TooLarge(f"{count - limit:,} of {count:,} entries left out; raise normalise.max_entries")]
