"""Two names that the recogniser took for one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from processors.places import candidates
from processors.tag.copy import Copy, NameSpan
from processors.tag.lexicon import lexicon
from processors.tag.rules.context import RuleContext

MODEL_GAP: Final = re.compile(r" ?[/-] ?| (?=[A-Z]?\d)")  # between a maker and what it makes, or two makers
DATELINE_AFTER: Final = re.compile(r",| \(|[ /]+[A-Z]{3}")  # behind the first place of a dateline
LAST_CAPITALS: Final = re.compile(r"(?<=[a-z.]) ([A-Z][A-Z'’-]{2,}(?: [A-Z][A-Z'’-]+)*)$")


def split_joined_names(context: RuleContext, names: Sequence[NameSpan]) -> list[NameSpan]:
    """The names, those that are two as two."""
    return [part for name in names for part in split_name(context.copy, name)]


def split_name(copy: Copy, name: NameSpan) -> list[NameSpan]:
    """The names in a name: maker and model ("Airbus A350"), photographer and dateline ("Lena Brandvold OSLO")."""
    words = copy.read[name.start : name.end]
    is_before_dateline = DATELINE_AFTER.match(copy.read, name.end) is not None
    if (
        is_before_dateline
        and name.label in {"PER", "ORG"}
        and (tail := LAST_CAPITALS.search(words))
        and candidates(tail[1])
    ):
        head = replace(name, end=name.start + tail.start())
        return [head, replace(name, start=name.start + tail.start(1), label="LOC")]
    if name.label == "MISC" and words not in lexicon().known_others and (gap := MODEL_GAP.search(words)):
        return _split_product(name, words, gap)
    return [name]


def _split_product(name: NameSpan, words: str, gap: re.Match[str]) -> list[NameSpan]:
    makers, rest = lexicon().known_organisations, words[gap.end() :]
    if words[: gap.start()] not in makers:
        return [name]
    maker = replace(name, end=name.start + gap.start(), label="ORG")
    model = replace(name, start=name.start + gap.end(), label="ORG" if rest in makers else "MISC")
    return [maker, model] if any(map(str.isupper, rest)) else [maker]
