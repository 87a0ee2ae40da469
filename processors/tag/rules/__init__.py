"""The rules that put the recogniser's names right, one module a concern; `processors.tag.RULES` has their order.

A rule is a function of the story's `RuleContext` and the names so far; it returns the names after it, in order of the
text, none over another. Rules know nothing of each other: what one needs of an earlier one is what its names say.
"""

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
