"""Datelines that a format delivers apart from the text, put back where a reader finds them."""

from __future__ import annotations

import re
from typing import Final

_DATE: Final = re.compile(r"\s*\d{4}-?\d\d-?\d\d")
_DASH: Final = re.compile(r"[-–—_=:]\s*$")


def with_dateline(text: str, dateline: str) -> str:
    """The text with a dateline before it, unless it opens with it already."""
    if not text or not any(map(str.isalpha, dateline)) or _DATE.match(dateline):  # a bare date is no dateline
        return text
    start = " ".join(text[: len(dateline) + 60].split()).casefold()
    if dateline.rstrip(" -–—_=:").casefold() in start:
        return text
    return f"{dateline}{' ' if _DASH.search(dateline) else ' - '}{text.lstrip()}"
