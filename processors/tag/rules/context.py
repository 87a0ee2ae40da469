"""What a rule may look at beside the names: the copy, its words, its dateline, and whether it tells of sport."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from processors.model.event import Dateline
from processors.tag.copy import Copy, NameSpan
from processors.tag.phrase_search import CopyWords


@dataclass(frozen=True, slots=True)
class RuleContext:
    """One story, as its rules see it."""

    copy: Copy
    words: CopyWords
    dateline: Dateline | None
    is_sport: bool


NameRule = Callable[[RuleContext, Sequence[NameSpan]], list[NameSpan]]
