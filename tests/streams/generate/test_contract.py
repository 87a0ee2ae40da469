"""What stands in config/schemas is generated, agrees with itself and with AsyncAPI 3, and breaks no reader."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from config.files import CONFIG_FOLDER
from config.settings import Settings
from processors.errors import Malformed
from processors.media_topics import is_media_topic
from processors.model.codec import decode, encode
from processors.model.event import Event, RawItem
from processors.model.schema import SCHEMAS
from processors.size_limit import RawPlace
from streams.generate.asyncapi import (
    CLOUD_EVENTS,
    EVENT_ATTRIBUTES,
    PUBLIC_TOPICS,
    REASONS,
    ROUTES_CHANNEL,
    document,
)
from streams.generate.examples import examples
from streams.generate.schemas import FOLDER, contract
from streams.messages import Record, dead_letter, event_message, make_tombstone
from streams.topology import CLUSTERED, DEAD_LETTERS, LINEAGE, TOPICS
from tests.readers.events import full_event
from tests.streams.generate.compatibility import find_breaks

RELEASED = FOLDER / "released"
ASYNCAPI = Path(__file__).with_name("asyncapi-3.0.0.json.gz")  # npm: @asyncapi/specs 6.8.0, Apache-2.0
DOCUMENT = document(Settings())


@pytest.mark.parametrize("name", contract())
def test_every_file_is_generated_from_the_code(name: str) -> None:
    assert (FOLDER / name).read_bytes() == contract()[name], "run `make schemas`"


def test_no_file_stands_there_that_nothing_generates() -> None:
    there = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.json")}
    assert {name for name in there if not name.startswith("released/")} == set(contract())


def test_the_document_is_valid_asyncapi() -> None:
    schema = orjson.loads(gzip.decompress(ASYNCAPI.read_bytes()))
    assert [error.message for error in Draft7Validator(schema).iter_errors(DOCUMENT)] == []
    broken = {**DOCUMENT, "channels": {"x": {"adress": "x"}}}
    assert list(Draft7Validator(schema).iter_errors(broken)), "the schema can refuse"


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from references(each)
    if isinstance(value, list):
        for each in value:
            yield from references(each)


@pytest.mark.parametrize("reference", sorted(set(references(DOCUMENT))))
def test_every_reference_leads_somewhere(reference: str) -> None:
    file, _, pointer = reference.partition("#")
    if file:
        assert (FOLDER / file).is_file()
        return
    found = DOCUMENT
    for part in pointer.split("/")[1:]:
        found = found[part]
    assert found


def test_every_topic_that_others_may_read_is_told() -> None:
    public = {topic.name for topic in TOPICS if topic not in {LINEAGE, CLUSTERED}}
    assert {topic.name for topic in PUBLIC_TOPICS} == public
    assert set(DOCUMENT["channels"]) == public | {topic.name for topic in DEAD_LETTERS} | {ROUTES_CHANNEL}


def test_headers_are_those_that_messages_have() -> None:
    story = examples()["event-new"]
    assert isinstance(story, Event)
    made = event_message(
        "wire.out.a.v1", "k", story, 0, source="tag", place=RawPlace("wire.items.raw.v1", 3, 7)
    )
    told = {name: value.decode() for name, value in made.headers}
    assert set(told) == {*CLOUD_EVENTS, *EVENT_ATTRIBUTES}
    shapes = DOCUMENT["components"]["schemas"]
    Draft202012Validator(shapes["cloudEventHeaders"]).validate(told)
    forgotten = {name: value.decode() for name, value in make_tombstone(made).headers}
    assert forgotten.keys().isdisjoint({"content-type", "ce_dataschema"})
    Draft202012Validator(shapes["tombstoneHeaders"]).validate(forgotten)
    letter = dead_letter(Record("t", 0, 5, b"", b"", 0), "tag", Malformed("so"))
    reasons = {name: value.decode() for name, value in letter.headers}
    assert set(reasons) == set(REASONS)
    Draft202012Validator(DOCUMENT["components"]["schemas"]["reasonHeaders"]).validate(reasons)


@pytest.mark.parametrize(("name", "each"), examples().items())
def test_examples_follow_their_schema_and_come_back(name: str, each: Event | RawItem) -> None:
    kind = "raw-item.v1.json" if isinstance(each, RawItem) else "event.v1.json"
    schema = orjson.loads((FOLDER / kind).read_bytes())
    told = orjson.loads((FOLDER / "examples" / f"{name}.json").read_bytes())
    Draft202012Validator(schema).validate(told)
    assert decode(encode(each), type(each)) == each


@pytest.mark.parametrize("name", [name for name in examples() if name.startswith("event")])
def test_spans_of_examples_are_their_words(name: str) -> None:
    each = examples()[name]
    assert isinstance(each, Event)
    spans: list[Any] = [*(each.mentions or ()), *(each.dates or ())]
    strings = {"text": each.text, "headline": each.headline}
    assert [strings[span.inside][span.start : span.end] for span in spans] == [span.text for span in spans]
    assert all(is_media_topic(topic.code) for topic in each.topics or ())
    covered = "".join(each.text[part.start : part.end] for part in each.segments or ())
    assert each.segments is None or "".join(covered.split()) == "".join(each.text.split())


def test_the_schema_of_gaps_takes_a_gap() -> None:
    schema = orjson.loads((FOLDER / "gap.v1.json").read_bytes())
    Draft202012Validator(schema).validate(orjson.loads((FOLDER / "examples" / "gap.json").read_bytes()))


@pytest.mark.parametrize(
    "path", sorted(RELEASED.rglob("*.json")), ids=lambda path: str(path.relative_to(RELEASED))
)
def test_readers_of_a_released_schema_can_read_the_new_one(path: Path) -> None:
    assert find_breaks(orjson.loads(path.read_bytes()), orjson.loads((FOLDER / path.name).read_bytes())) == []


def test_a_reader_of_the_first_release_takes_todays_events_and_a_reader_of_today_those_of_then() -> None:
    first = Draft202012Validator(orjson.loads((RELEASED / "1.0" / "event.v1.json").read_bytes()))
    for number in range(14):
        first.validate(orjson.loads(encode(full_event(number))))
    today = Draft202012Validator(orjson.loads((FOLDER / "event.v1.json").read_bytes()))
    stored = Path(__file__).parents[2] / "processors" / "evolution" / "events.v1.jsonl"
    lines = stored.read_bytes().splitlines()
    assert lines
    for line in lines:
        today.validate(orjson.loads(line))


def test_every_schema_was_released() -> None:
    assert {path.name for path in (RELEASED / "1.0").iterdir()} == set(SCHEMAS)


OLD: dict[str, Any] = {
    "type": "object",
    "properties": {
        "uri": {"type": "string"},
        "kind": {"enum": ["a", "b"]},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}},
    },
    "required": ["uri"],
    "$defs": {"Part": {"type": "object", "properties": {"inner": {"$ref": "#/$defs/Part"}, "at": {"type": "integer"}}}},
}  # fmt: skip


def changed(**properties: Any) -> dict[str, Any]:
    return {**OLD, "properties": {**OLD["properties"], **properties}}


def test_an_optional_member_and_other_words_break_nobody() -> None:
    assert find_breaks(OLD, {**changed(more={"type": "string"}), "description": "new words"}) == []


@pytest.mark.parametrize(
    ("new", "told"),
    [
        ({**OLD, "properties": {"uri": {"type": "string"}}}, [".kind: removed", ".parts: removed"]),
        (changed(uri={"type": "integer"}), [".uri: type was string, is integer"]),
        (changed(kind={"enum": ["a"]}), [".kind: enum was ['a', 'b'], is ['a']"]),
        ({**OLD, "required": []}, [".uri: was always there, is optional"]),
        ({**OLD, "required": ["uri", "kind"]}, [".kind: must be there, and was not always"]),
        (changed(uri={"anyOf": [{"type": "string"}, {"type": "null"}]}), [
            ".uri: type was string, is ['string', 'null']"]),
        (changed(uri={"type": ["string", "null"]}), [".uri: type was string, is ['string', 'null']"]),
        ({**OLD, "$defs": {"Part": {"type": "object", "properties": {"inner": {"$ref": "#/$defs/Part"}}}}}, [
            ".parts[].at: removed"]),
    ],
)  # fmt: skip
def test_everything_else_is_told(new: dict[str, Any], told: list[str]) -> None:
    assert find_breaks(OLD, new) == told


def test_the_folder_is_that_of_the_package() -> None:
    assert CONFIG_FOLDER / "schemas" == FOLDER
