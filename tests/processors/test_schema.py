"""The schemas that stand in config/schemas are the model's, and say what its JSON is."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from config.files import CONFIG_FOLDER
from processors.model.codec import encode
from processors.model.event import Dateline, Event, Lineage, Segment
from processors.model.schema import SCHEMAS, build_schema, render_schema
from processors.model.story import Story

VALIDATOR = Draft202012Validator(build_schema(Event))


@pytest.mark.parametrize(("name", "kind"), SCHEMAS.items())
def test_the_schema_on_disk_is_generated_from_the_model(name: str, kind: type[Any]) -> None:
    assert (CONFIG_FOLDER / "schemas" / name).read_bytes() == render_schema(kind), "run `make schemas`"


@pytest.mark.parametrize("kind", SCHEMAS.values())
def test_the_schema_is_valid_itself(kind: type[Any]) -> None:
    Draft202012Validator.check_schema(build_schema(kind))
    assert build_schema(kind)["properties"]


@pytest.mark.parametrize(
    "event",
    [
        Event(Story("urn:x:1")),
        Event(Story("urn:x:1"), lineage=Lineage("urn:x:1", "new"), segments=(), quotes=(), damage=()),
        Event(Story("urn:x:1"), segments=(Segment(0, 4, "slug"),), dateline=Dateline(0, 4)),
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
