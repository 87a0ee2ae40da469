"""Versions live together: what was stored is read, and what is written is read by those who come later to the change.

`evolution/` holds events as released versions wrote them; those of a new release are added beside those that stand.
What schemas may change, `tests/streams/generate/test_contract.py` holds.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from config.files import CONFIG_FOLDER
from processors.errors import Malformed
from processors.model.codec import decode, encode
from processors.model.event import Event, Provenance, RawItem
from processors.model.schema import build_schema
from tests.processors.test_codec import model

FOLDER: Final = Path(__file__).parent / "evolution"
STORED: Final = [orjson.loads(line) for line in (FOLDER / "events.v1.jsonl").read_bytes().splitlines()]
RELEASED: Final = {
    path.name: Draft202012Validator(orjson.loads(path.read_bytes()))
    for path in sorted(
        (CONFIG_FOLDER / "schemas" / "released").rglob("*.v1.json")
    )  # the latest release stands last
}
NEW_READER: Final = Draft202012Validator(build_schema(Event))


@pytest.mark.parametrize("stored", STORED, ids=lambda each: each["story"]["uri"][-8:])
def test_a_stored_event_is_read_and_nothing_of_it_is_lost(stored: dict[str, Any]) -> None:
    read = orjson.loads(encode(decode(orjson.dumps(stored), Event)))
    assert list(_lost("", stored, read)) == []
    NEW_READER.validate(stored)


def test_the_stored_events_have_every_step_in_them() -> None:
    members = {name for stored in STORED for name, value in stored.items() if value}
    assert members >= {
        "story", "headline", "text", "lineage", "segments", "dateline", "mentions", "entities", "quotes", "dates",
        "topics", "language", "damage", "provenance",
    }  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_is_written_today_is_valid_for_yesterdays_readers(data: st.DataObject) -> None:
    RELEASED["event.v1.json"].validate(orjson.loads(encode(data.draw(model(Event)))))


@pytest.mark.parametrize("stored", STORED, ids=lambda each: each["story"]["uri"][-8:])
def test_members_that_a_later_version_adds_are_passed_over_at_every_level(stored: dict[str, Any]) -> None:
    later = _grown(stored)
    assert later != stored
    assert decode(orjson.dumps(later), Event) == decode(orjson.dumps(stored), Event)


def test_a_step_of_this_version_does_not_pass_on_members_that_it_does_not_know() -> None:
    later = STORED[0] | {"mood": "calm"}
    assert b"mood" not in encode(decode(orjson.dumps(later), Event)), "so the last step is upgraded first"


@pytest.mark.parametrize("stored", STORED[:4], ids=lambda each: each["story"]["uri"][-8:])
def test_a_member_that_has_a_default_may_be_absent(stored: dict[str, Any]) -> None:
    demanded = {name for name in _dropped_and_missed(stored) if name not in IDENTITY}
    assert demanded == set(), "new members need a default: stored events lack them"


IDENTITY: Final = {  # what each kind of member always had, and always will have
    "story", "uri", "value", "start", "end", "kind", "text", "label", "id", "name", "code", "confidence", "tag",
    "relation", "received", "format", "version", "type", "coordinates", "symbol", "symbolType",
}  # fmt: skip


def test_a_raw_item_of_an_old_poller_is_read_and_a_new_one_is_read_by_old_workers() -> None:
    old = b'{"payload": "SGFyYm91cg==", "received": "2026-01-31T12:00:00Z", "feed": "nda"}'
    assert decode(old, RawItem) == RawItem(b"Harbour", "2026-01-31T12:00:00Z", feed="nda")
    new = orjson.loads(encode(RawItem(b"Harbour", "2026-01-31T12:00:00Z", feed="nda", backfill=True)))
    RELEASED["raw-item.v1.json"].validate(new | {"colour": "red"})


def test_flags_that_are_not_set_are_not_written_so_old_bytes_stay_equal() -> None:
    assert b"backfill" not in encode(Provenance("2026-01-31T12:00:00Z", "ninjs"))


def test_an_unknown_value_of_a_closed_list_is_malformed_and_so_a_breaking_change() -> None:
    later = copy.deepcopy(STORED[0])
    later["lineage"]["relation"] = "rumour"
    with pytest.raises(Malformed, match=r"lineage\.relation"):
        decode(orjson.dumps(later), Event)


def _lost(where: str, stored: Any, read: Any) -> Iterator[str]:
    """Members and values of the stored that the read one has not."""
    if isinstance(stored, dict) and isinstance(read, dict):
        for name, value in stored.items():
            if name not in read:
                yield f"{where}.{name}"
            else:
                yield from _lost(f"{where}.{name}", value, read[name])
    elif isinstance(stored, list) and isinstance(read, list) and len(stored) == len(read):
        for number, (one, other) in enumerate(zip(stored, read, strict=True)):
            yield from _lost(f"{where}[{number}]", one, other)
    elif stored != read:
        yield where


def _grown(value: Any) -> Any:
    """The value with a member more in every object."""
    if isinstance(value, dict):
        return {name: _grown(each) for name, each in value.items()} | {"later": {"deep": [1, None]}}
    return [_grown(each) for each in value] if isinstance(value, list) else value


def _dropped_and_missed(stored: dict[str, Any]) -> Iterator[str]:
    """The names of members without which the event can't be read."""
    for path, name in list(_places(stored, ())):
        smaller = copy.deepcopy(stored)
        holder: Any = smaller
        for each in path:
            holder = holder[each]
        del holder[name]
        try:
            decode(orjson.dumps(smaller), Event)
        except Malformed:
            yield name


def _places(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], str]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield path, name
            yield from _places(each, (*path, name))
    elif isinstance(value, list):
        for number, each in enumerate(value[:2]):
            yield from _places(each, (*path, number))
