"""What the words beside a name say of it: "shares of Galewright", "retailer Norrvik", "Tarnhill said"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from config.lexicon import every_language, join_patterns
from processors.tag.copy import Copy, NameSpan
from processors.tag.lexicon import lexicon
from processors.tag.rules import RuleContext

MAX_CHARS_BEFORE: Final = (
    28  # of a name in which a sign may end: the longest, "private equity firms ", has 21
)
MIN_SIGNS_OF_PERSON: Final = 2  # that make a name with a given name a company: one is "retailer Peter Vane"


@dataclass(frozen=True, slots=True)
class CompanySigns:
    """Patterns of what stands right before a name, and right after it."""

    before: re.Pattern[str]
    after: re.Pattern[str]
    action: re.Pattern[str]


@cache
def company_signs() -> CompanySigns:
    """The signs of every language."""
    every = [words.companies for _, words in every_language()]
    kinds, before, after, acts, owns = (
        join_patterns(getattr(words, name) for words in every)
        for name in ("kinds", "before", "after", "acts", "owns")
    )
    return CompanySigns(
        re.compile(rf"\b(?:{kinds}|{before}) $", re.IGNORECASE),
        re.compile(rf" (?:{after})\b"),
        re.compile(rf"(?:['’]s? (?:{owns}))| (?:{acts})\b"),
    )


def label_companies(context: RuleContext, names: Sequence[NameSpan]) -> list[NameSpan]:
    """The names, those that the words beside them call companies labelled ORG."""
    copy = context.copy
    signs: dict[str, int] = {}
    acting: set[str] = set()
    for name in names:
        words = copy.read[name.start : name.end]
        signs[words] = signs.get(words, 0) + _count_signs(copy, name)
        if company_signs().action.match(copy.read, name.end):
            acting.add(words)
    return [replace(name, label="ORG") if _is_company(copy, name, signs, acting) else name for name in names]


def _is_company(copy: Copy, name: NameSpan, signs: dict[str, int], acting: set[str]) -> bool:
    words = copy.read[name.start : name.end]
    if name.label not in {"PER", "MISC"} or words in lexicon().peoples or words in lexicon().known_others:
        return False
    if name.label == "MISC":
        return signs[words] > 0 or words in acting
    first = words.split()[0]
    return " " in words and signs[words] >= (MIN_SIGNS_OF_PERSON if first in lexicon().given else 1)


def _count_signs(copy: Copy, name: NameSpan) -> int:
    before = copy.read[max(0, name.start - MAX_CHARS_BEFORE) : name.start]
    return (company_signs().before.search(before) is not None) + (
        company_signs().after.match(copy.read, name.end) is not None
    )
