"""Which index a story lives in: one a month, by the story's first creation.

``<index>`` is the alias that is read. A month is written through an alias of its own, ``<index>-2026.11``, which
stands for one index, ``<index>-2026.11-000001``; a new mapping makes ``…-000002``. Stories older than two years go to
``<index>-older``, so that an archive does not make an index of every month that it ever saw.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from processors.model.event import Event
from processors.times import to_milliseconds

OLDER: Final = "older"
MONTHS: Final = 24
_NAME: Final = re.compile(r"(?P<alias>.+-(?P<month>\d{4}\.\d{2}|older))-(?P<number>\d{6})")


def month(event: Event) -> str:
    """The month of an event's first creation, ``YYYY.MM``, or `OLDER`; at the latest that of its reception."""
    received = to_milliseconds(event.provenance.received) if event.provenance else 0
    told = event.story.first_created or event.story.version_created
    try:
        created = min(to_milliseconds(told), received) if told else received
    except (ValueError, OverflowError):
        created = received
    return OLDER if _count(received) - _count(created) > MONTHS else named(created)


def named(moment: int) -> str:
    """The month of a moment in milliseconds since the epoch, ``YYYY.MM``."""
    return f"{datetime.fromtimestamp(moment / 1000, UTC):%Y.%m}"


def write_alias(index: str, month: str) -> str:
    """The alias through which a month is written."""
    return f"{index}-{month}"


def numbered(alias: str, number: int) -> str:
    """The name of the index behind a write alias."""
    return f"{alias}-{number:06}"


def taken_apart(name: str) -> tuple[str, str, int] | None:
    """An index's name as its write alias, month and number; None for a name that is not ours."""
    found = _NAME.fullmatch(name)
    return (found["alias"], found["month"], int(found["number"])) if found else None


def _count(moment: int) -> int:
    date = datetime.fromtimestamp(max(moment, 0) / 1000, UTC)
    return date.year * 12 + date.month
