"""Numbers that others send: in versions, headers, cursors, addresses and references to characters."""

from __future__ import annotations

import re
from html import unescape
from typing import Final

MAX_INT64: Final = 2**63 - 1  # what SQLite, Elasticsearch and Kafka take
MAX_REFERENCE_DIGITS: Final = (
    8  # of a character, without zeros before it: more are beyond Unicode in any case
)
_LONG_REFERENCE: Final = re.compile(r"&#(?=[0-9]{8})0*+([0-9]*+)")


def parse_int64(text: str) -> int | None:
    """The non-negative decimal integer that a text is; None where it is not one, or larger than a signed 64-bit integer.

    Python itself refuses to read numbers of thousands of digits, and ``str.isdigit`` takes ² for one.
    """
    if not text.isdecimal() or len(text) > len(str(MAX_INT64)):
        return None
    number = int(text)
    return number if number <= MAX_INT64 else None


def read_references(markup: str) -> str:
    """The text with the characters that its references stand for, as HTML has them, however long their numbers are."""
    if "&" not in markup:
        return markup
    if "&#" in markup:
        markup = _LONG_REFERENCE.sub(lambda match: f"&#{match[1][:MAX_REFERENCE_DIGITS] or 0}", markup)
    return unescape(markup)
