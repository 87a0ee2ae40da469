"""Whatever arrives, a story is a valid ninjs 3.1 item, or the item is refused with a type of its own."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from config.settings import Normalise
from processors.errors import Rejected
from processors.model.codec import to_builtins
from processors.model.event import Event, RawItem
from processors.normalise import normalise
from processors.normalise.formats import BY_NAME
from processors.normalise.text import clean_text
from tests.processors.normalise.samples import INPUTS, RECEIVED, SHARED

SCHEMA = SHARED / "corpus" / "formats" / "ninjs" / "ninjs-schema_3.1.json"
DOCUMENTS = [path.read_bytes() for path in INPUTS]
FORMATS = FormatChecker(["date-time", "uri"])


class Ninjs:
    """The IPTC's schema; its own class so that a failing example is shown without it."""

    def __init__(self, validator: Draft202012Validator) -> None:
        self._validator = validator

    def faults(self, story: Any) -> list[str]:
        return [f"{fault.json_path}: {fault.message[:200]}" for fault in self._validator.iter_errors(story)]


def _validator() -> Draft202012Validator:
    point = {
        "type": "object",
        "required": ["type", "coordinates"],
        "properties": {
            "type": {"const": "Point"},
            "coordinates": {"type": "array", "items": {"type": "number"}},
        },
    }
    places = Resource.from_contents({"$schema": "http://json-schema.org/draft-07/schema#", **point})
    registry: Registry[Any] = Registry().with_resource("https://geojson.org/schema/GeoJSON.json", places)
    schema = orjson.loads(SCHEMA.read_bytes())
    return Draft202012Validator(schema, registry=registry, format_checker=FORMATS)


@pytest.fixture(scope="module")
def ninjs() -> Ninjs:
    if not SCHEMA.is_file():
        pytest.skip("the IPTC's schema of ninjs 3.1 is not beside this checkout")
    return Ninjs(_validator())


def read(payload: bytes, **envelope: Any) -> list[Event]:
    """The events of a raw item, which may be refused, but only so."""
    try:
        events = normalise(RawItem(payload, RECEIVED, **envelope), Normalise())
    except Rejected:
        return []
    return [event for event in events if isinstance(event, Event)]


def check(ninjs: Ninjs, events: list[Event]) -> None:
    for event in events:
        story = orjson.loads(orjson.dumps(to_builtins(event.story)))
        assert ninjs.faults(story) == []
        assert event.text == clean_text(event.text)
        for fault in event.damage or ():
            words = event.headline if fault.inside == "headline" else event.text
            assert 0 <= fault.start <= fault.end <= len(words)
        for moment in (event.story.version_created, event.story.first_created):
            assert moment is None or moment.endswith("Z")


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.name)
def test_the_stories_of_every_format_are_valid(ninjs: Ninjs, path: Any) -> None:
    events = read(path.read_bytes())
    assert events
    check(ninjs, events)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
)
NAMES = st.sampled_from(
    [
        "uri", "guid", "type", "version", "versionCreated", "embargoedUntil", "pubStatus", "urgency", "language",
        "headlines", "bodies", "descriptions", "people", "places", "subjects", "organisations", "renditions", "altIds",
        "associations", "infoSources", "rightsInfo", "genres", "events", "objects", "trustIndicators", "value", "role",
        "name", "href", "contentType", "width", "geoJSON", "coordinates", "contactInfo", "address", "literal", "rel",
        "body_html", "headline", "digitalSourceType", "expires", "standard", "relevance", "symbols", "x", "poi",
    ]
)  # fmt: skip
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=25,
)


@given(
    item=st.dictionaries(NAMES, JSON, max_size=12),
    body=st.text(max_size=80),
    sent=st.text(min_size=1, max_size=30),
)
@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_any_ninjs_item_makes_a_valid_story(ninjs: Ninjs, item: dict[str, Any], body: str, sent: str) -> None:
    told = {"uri": sent, **item, "bodies": [{"role": "main", "value": body}]}
    check(
        ninjs,
        read(orjson.dumps(told, option=orjson.OPT_NON_STR_KEYS) if _encodes(told) else b"{}", format="ninjs"),
    )


@given(data=st.data())
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_a_document_that_was_hurt_makes_valid_stories_or_is_refused(ninjs: Ninjs, data: Any) -> None:
    document = data.draw(st.sampled_from(DOCUMENTS))
    start = data.draw(st.integers(0, len(document)))
    end = data.draw(st.integers(start, min(len(document), start + 60)))
    put = data.draw(st.binary(max_size=12) | st.sampled_from(DOCUMENTS).map(lambda other: other[:200]))
    check(ninjs, read(document[:start] + put + document[end:]))


@given(
    name=st.sampled_from(sorted(BY_NAME)),
    document=st.sampled_from(DOCUMENTS) | st.binary(max_size=60),
    end=st.integers(0, 3000),
)
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_any_reader_takes_any_document(ninjs: Ninjs, name: str, document: bytes, end: int) -> None:
    check(ninjs, read(document[:end], format=name))


@given(
    payload=st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
)
@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_any_bytes_make_valid_stories_or_are_refused(ninjs: Ninjs, payload: bytes) -> None:
    check(ninjs, read(payload))


@given(
    title=st.text(max_size=40),
    words=st.text(max_size=60),
    guid=st.text(max_size=30),
    date=st.text(max_size=25),
)
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_any_feed_entry_makes_a_valid_story(
    ninjs: Ninjs, title: str, words: str, guid: str, date: str
) -> None:
    entry = {
        "id": guid,
        "title": title,
        "content_html": words,
        "url": words,
        "image": guid,
        "date_published": date,
    }
    feed = {"version": "https://jsonfeed.org/version/1", "items": [entry]}
    check(ninjs, read(orjson.dumps(feed) if _encodes(feed) else b"{}"))


def _encodes(value: object) -> bool:
    """Whether a value has no lone surrogates and no number that JSON can't hold."""
    try:
        orjson.dumps(value)
    except (TypeError, orjson.JSONEncodeError):
        return False
    return True


def test_the_validator_refuses_what_is_no_ninjs(ninjs: Ninjs) -> None:
    for wrong in (
        {"uri": "no uri at all"},
        {"uri": "a:b", "versionCreated": "monday"},
        {"uri": "a:b", "colour": "red"},
    ):
        assert ninjs.faults(wrong)
