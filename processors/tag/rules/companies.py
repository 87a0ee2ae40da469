"""What the words beside a name say of it: "shares of Galewright", "retailer Norrvik", "Tarnhill said"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from processors.tag.copy import Copy
from processors.tag.found import Found
from processors.tag.lexicon import lexicon

KINDS: Final = (
    "firms?|compan(?:y|ies)|[a-z]*makers?|retailers?|airlines?|carriers?|lenders?|insurers?|brokerages?|consultanc(?:y|ies)|"
    "start-?ups?|broadcasters?|manufacturers?|miners?|refiners?|utilit(?:y|ies)|supermarkets?|conglomerates?|"
    "subsidiar(?:y|ies)|think[- ]tanks?|newspapers?|magazines?|websites?|charit(?:y|ies)|nonprofits?|wholesalers?|"
    "automakers?|shipbuilders?|steelmakers?|telecoms operators?|hedge funds?|law firms?|private equity firms?"
)
TOLD_BEFORE: Final = re.compile(
    rf"\b(?:{KINDS}|shares (?:of|in)|stakes? in|bid for|takeover of|acquisition of|merger with|owned by|subsidiary of|"
    r"unit of|employees of|analysts? at|economists? at|strategists? at) $",
    re.IGNORECASE,
)
TOLD_AFTER: Final = re.compile(r" (?:shares|stock|shareholders|executives|workers|employees|plc|PLC)\b")
ACTS: Final = re.compile(
    r"(?:['’]s? (?:shares?|stock|board|chief executive|CEO|workers|revenue|sales|profits?|spokes\w+|headquarters))|"
    r" (?:said|says|announced|declined|reported|agreed|posted|employs|expects|plans|did not (?:immediately )?respond)\b"
)
REACH: Final = 28  # characters before a name
TWICE: Final = 2  # signs that make what looks like a person a company


def as_organisations(copy: Copy, found: Sequence[Found]) -> list[Found]:
    """The names, those that the words beside them call companies labelled so."""
    signs: dict[str, int] = {}
    acts: set[str] = set()
    for each in found:
        name = copy.read[each.start : each.end]
        signs[name] = signs.get(name, 0) + _told(copy, each)
        if ACTS.match(copy.read, each.end):
            acts.add(name)
    return [replace(each, label="ORG") if _is_one(copy, each, signs, acts) else each for each in found]


def _is_one(copy: Copy, found: Found, signs: dict[str, int], acts: set[str]) -> bool:
    name = copy.read[found.start : found.end]
    if found.label not in {"PER", "MISC"} or name in lexicon().peoples or name in lexicon().known_others:
        return False
    if found.label == "MISC":
        return signs[name] > 0 or name in acts
    first = name.split()[0]
    return " " in name and signs[name] >= (TWICE if first in lexicon().given else 1)


def _told(copy: Copy, found: Found) -> int:
    before = copy.read[max(0, found.start - REACH) : found.start]
    return (TOLD_BEFORE.search(before) is not None) + (TOLD_AFTER.match(copy.read, found.end) is not None)
