"""Two names that the pipeline took for one."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from processors.places import candidates
from processors.tag.copy import Copy
from processors.tag.found import Found
from processors.tag.lexicon import lexicon

MODEL: Final = re.compile(r" ?[/-] ?| (?=[A-Z]?\d)")  # between a maker and what it makes, or two makers
DATELINE: Final = re.compile(r",| \(|[ /]+[A-Z]{3}")  # after the first place of a dateline
CAPITALS: Final = re.compile(r"(?<=[a-z.]) ([A-Z][A-Z'’-]{2,}(?: [A-Z][A-Z'’-]+)*)$")


def parted(copy: Copy, found: Found) -> list[Found]:
    """The names in a name: maker and model ("Airbus A350"), photographer and dateline ("Lena Brandvold OSLO")."""
    name = copy.read[found.start : found.end]
    opens = DATELINE.match(copy.read, found.end) is not None
    if opens and found.label in {"PER", "ORG"} and (tail := CAPITALS.search(name)) and candidates(tail[1]):
        head = replace(found, end=found.start + tail.start())
        return [head, replace(found, start=found.start + tail.start(1), label="LOC")]
    if found.label == "MISC" and name not in lexicon().known_others and (gap := MODEL.search(name)):
        return _made(found, name, gap)
    return [found]


def _made(found: Found, name: str, gap: re.Match[str]) -> list[Found]:
    known, rest = lexicon().known_organisations, name[gap.end() :]
    if name[: gap.start()] not in known:
        return [found]
    maker = replace(found, end=found.start + gap.start(), label="ORG")
    model = replace(found, start=found.start + gap.end(), label="ORG" if rest in known else "MISC")
    return [maker, model] if any(map(str.isupper, rest)) else [maker]
