"""What the words beside a name say of it: "shares of Galewright", "retailer Norrvik", "Tarnhill said"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from processors.tag.copy import Copy, NameSpan
from processors.tag.lexicon import lexicon
from processors.tag.rules.context import RuleContext

KINDS: Final = (
    "firms?|compan(?:y|ies)|[a-z]*makers?|retailers?|airlines?|carriers?|lenders?|insurers?|brokerages?|consultanc(?:y|ies)|"
    "start-?ups?|broadcasters?|manufacturers?|miners?|refiners?|utilit(?:y|ies)|supermarkets?|conglomerates?|"
    "subsidiar(?:y|ies)|think[- ]tanks?|newspapers?|magazines?|websites?|charit(?:y|ies)|nonprofits?|wholesalers?|"
    "automakers?|shipbuilders?|steelmakers?|telecoms operators?|hedge funds?|law firms?|private equity firms?"
)
SIGN_BEFORE: Final = re.compile(
    rf"\b(?:{KINDS}|shares (?:of|in)|stakes? in|bid for|takeover of|acquisition of|merger with|owned by|subsidiary of|"
    r"unit of|employees of|analysts? at|economists? at|strategists? at) $",
    re.IGNORECASE,
)
SIGN_AFTER: Final = re.compile(r" (?:shares|stock|shareholders|executives|workers|employees|plc|PLC)\b")
COMPANY_ACTION: Final = re.compile(
    r"(?:['’]s? (?:shares?|stock|board|chief executive|CEO|workers|revenue|sales|profits?|spokes\w+|headquarters))|"
    r" (?:said|says|announced|declined|reported|agreed|posted|employs|expects|plans|did not (?:immediately )?respond)\b"
)
MAX_CHARS_BEFORE: Final = (
    28  # of a name in which a sign may end: the longest, "private equity firms ", has 21
)
MIN_SIGNS_OF_PERSON: Final = 2  # that make a name with a given name a company: one is "retailer Peter Vane"


def label_companies(context: RuleContext, names: Sequence[NameSpan]) -> list[NameSpan]:
    """The names, those that the words beside them call companies labelled ORG."""
    copy = context.copy
    signs: dict[str, int] = {}
    acting: set[str] = set()
    for name in names:
        words = copy.read[name.start : name.end]
        signs[words] = signs.get(words, 0) + _count_signs(copy, name)
        if COMPANY_ACTION.match(copy.read, name.end):
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
    return (SIGN_BEFORE.search(before) is not None) + (SIGN_AFTER.match(copy.read, name.end) is not None)
