"""Numbers that others send: in versions, headers, cursors and addresses."""

from __future__ import annotations

from typing import Final

LARGEST: Final = 2**63 - 1  # what SQLite, Elasticsearch and Kafka take


def whole(told: str) -> int | None:
    """A number of decimal digits; None for anything else, and for what is larger than a signed 64-bit integer.

    Python itself refuses to read numbers of thousands of digits, and ``str.isdigit`` takes ² for one.
    """
    if not told.isdecimal() or len(told) > len(str(LARGEST)):
        return None
    number = int(told)
    return number if number <= LARGEST else None
