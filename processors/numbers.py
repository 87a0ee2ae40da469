"""Numbers that others send: in versions, headers, cursors and addresses."""

from __future__ import annotations

from typing import Final

MAX_INT64: Final = 2**63 - 1  # what SQLite, Elasticsearch and Kafka take


def parse_int64(text: str) -> int | None:
    """The non-negative decimal integer that a text is; None where it is not one, or larger than a signed 64-bit integer.

    Python itself refuses to read numbers of thousands of digits, and ``str.isdigit`` takes ² for one.
    """
    if not text.isdecimal() or len(text) > len(str(MAX_INT64)):
        return None
    number = int(text)
    return number if number <= MAX_INT64 else None
