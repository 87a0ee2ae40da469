"""Documents fit the strict mapping, whatever an event holds."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.elasticsearch.documents import document, document_id
from sinks.elasticsearch.inventory import mapping_fields
from sinks.elasticsearch.templates import load_template
from tests.sinks.events import dispatch, event


def test_every_member_of_a_document_is_in_the_mapping() -> None:
    mapped = dict(
        mapping_fields(load_template("stories-mappings", "x")["template"]["mappings"]["properties"])
    )
    unindexed = {"card", "event"}
    assert set(_names({k: v for k, v in document(dispatch()).items() if k not in unindexed})) <= set(mapped)


def test_places_carry_points_and_quotes_their_speakers() -> None:
    made = document(dispatch())
    assert made["location"] == {"lat": 51.4, "lon": 5.4}
    assert made["quotes"] == [
        {"kind": "direct", "text": "We will not wait another winter,", "speaker": "Ines Okafor"}
    ]
    assert made["names"] == ["ines okafor", "okafor", "veldhaven"]


@given(st.text(min_size=1, max_size=3000))
def test_an_id_is_short_and_the_same_every_time(uri: str) -> None:
    assert document_id(uri) == document_id(uri)
    assert len(document_id(uri)) == 40


@pytest.mark.parametrize("text", ["", "x" * 50_000, "\u0000\ud7ff"])
def test_a_document_is_json(text: str) -> None:
    assert orjson.loads(orjson.dumps(document(event("urn:a", text=text))))["text" if text else "uri"]


def _names(told: Any, prefix: str = "") -> list[str]:
    found = []
    for name, value in told.items():
        found.append(f"{prefix}{name}")
        for each in value if isinstance(value, list) else []:
            if isinstance(each, dict):
                found += [n for n in _names(each, f"{prefix}{name}.") if not n.endswith((".lat", ".lon"))]
    return found
