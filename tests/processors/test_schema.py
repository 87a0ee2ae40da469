"""The schemas that stand in config/schemas are the model's, and say what its JSON is."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from jsonschema.exceptions import ValidationError

from config.files import CONFIG_FOLDER
from processors.model.codec import encode
from processors.model.event import Dateline, Event, Lineage, Provenance, Segment
from processors.model.schema import SCHEMAS, build_draft_7, build_schema, describe_member, render_schemas
from processors.model.story import Story

PLACED: dict[str, Any] = {
    "lineage": Lineage("urn:x:1", "new"), "provenance": Provenance("2026-03-02T09:15:04Z", "ninjs"),
}  # fmt: skip
VALIDATOR = Draft202012Validator(build_schema(Event))


@pytest.mark.parametrize("name", render_schemas())
def test_the_schema_on_disk_is_generated_from_the_model(name: str) -> None:
    assert (CONFIG_FOLDER / "schemas" / name).read_bytes() == render_schemas()[name], "run `make schemas`"


@pytest.mark.parametrize("kind", SCHEMAS.values())
def test_the_schema_and_its_twin_are_valid_themselves(kind: type[Any]) -> None:
    Draft202012Validator.check_schema(build_schema(kind))
    Draft7Validator.check_schema(build_draft_7(kind))
    assert build_schema(kind)["properties"]


@pytest.mark.parametrize(
    "event",
    [
        Event(Story("urn:x:1"), **PLACED),
        Event(Story("urn:x:1"), segments=(), quotes=(), damage=(), **PLACED),
        Event(Story("urn:x:1"), segments=(Segment(0, 4, "slug"),), dateline=Dateline(0, 4), **PLACED),
    ],
)
def test_events_are_valid(event: Event) -> None:
    VALIDATOR.validate(orjson.loads(encode(event)))


@pytest.mark.parametrize(
    "told",
    [
        {"headline": "", "text": ""},
        {"story": {"uri": 1}, "headline": "", "text": ""},
        {"story": {"uri": "a:b"}, "headline": "", "text": "", "segments": [{"start": 0}]},
        {"story": {"uri": "a:b"}, "headline": "", "text": "", "lineage": {"story": "a", "relation": "twin"}},
    ],
)
def test_what_is_no_event_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        VALIDATOR.validate(told)


def test_classes_can_be_generated_from_the_schema_as_it_stands() -> None:
    for schema in (build_schema(Event), build_draft_7(Event)):
        parts = {**(schema.get("$defs") or schema["definitions"]), "Event": schema}
        assert schema["$id"].endswith(".json")
        for name, part in parts.items():
            assert part["title"] == name, "a class of its own name, not AnonymousSchema_298"
            assert part.get("description") or "enum" in part
            for member, described in part.get("properties", {}).items():
                assert described["description"], f"{name}.{member}"
                assert "enum" not in described, "a closed list is a definition"
        text = orjson.dumps(schema).decode()
        assert "anyOf" not in text, "generators make Object of it"
        assert "prefixItems" not in text


def test_what_an_event_says_of_time_has_a_format() -> None:
    parts = build_schema(Event)["$defs"]
    timed = {
        (name, member)
        for name, part in parts.items()
        for member, described in part.get("properties", {}).items()
        if described.get("format") == "date-time"
    }
    assert timed == {
        ("ClusterStanding", "first"),
        ("Provenance", "received"),
        *(("Story", f"{name}Created") for name in ("first", "version", "content")),
        ("Story", "embargoedUntil"),
        ("Story", "expires"),
    }


def test_a_member_that_nobody_has_described_is_refused() -> None:
    with pytest.raises(KeyError, match=r"members\.toml does not describe Story\.colour"):
        describe_member("Story", "colour")
