"""Raw items and what they become, for the tests of the step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from config.settings import Normalise
from processors.errors import Rejected
from processors.model.codec import encode
from processors.model.event import Event, RawItem
from processors.normalise import normalise

GOLDEN = Path(__file__).parent / "golden"
RECEIVED = "2026-01-22T16:00:00Z"
SHARED = Path(__file__).parents[4] / "shared"

INPUTS = sorted(path for path in GOLDEN.iterdir() if not path.name.endswith(".expected.json"))


def outcomes(payload: bytes | str, **envelope: Any) -> list[Event | Rejected]:
    """What a raw item becomes."""
    sent = payload.encode() if isinstance(payload, str) else payload
    return normalise(RawItem(sent, RECEIVED, **envelope), Normalise())


def one(payload: bytes | str, **envelope: Any) -> Event:
    """The only event of a raw item."""
    (event,) = outcomes(payload, **envelope)
    assert isinstance(event, Event), event
    return event


def as_json(events: list[Event | Rejected]) -> list[Any]:
    """Outcomes as the golden files have them: events without the standard's name and the empty list of steps."""
    return [_plain(event) for event in events]


def _plain(event: Event | Rejected) -> Any:
    if isinstance(event, Rejected):
        return {"error": event.type}
    plain: dict[str, Any] = orjson.loads(encode(event))
    for name in ("received", "steps"):
        del plain["provenance"][name]
    assert plain["story"].pop("standard") == {"name": "ninjs", "version": "3.1"}
    return plain
