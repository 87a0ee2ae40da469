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
    (found,) = outcomes(payload, **envelope)
    assert isinstance(found, Event), found
    return found


def as_json(found: list[Event | Rejected]) -> list[Any]:
    """Outcomes as the golden files have them: events without the standard's name and the empty list of steps."""
    return [_plain(each) for each in found]


def _plain(each: Event | Rejected) -> Any:
    if isinstance(each, Rejected):
        return {"error": each.type}
    made: dict[str, Any] = orjson.loads(encode(each))
    for name in ("received", "steps"):
        del made["provenance"][name]
    assert made["story"].pop("standard") == {"name": "ninjs", "version": "3.1"}
    return made
