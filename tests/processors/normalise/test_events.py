"""What a format delivers apart is recognised in the text."""

from __future__ import annotations

import orjson
import pytest

from config.settings import SegmentSettings
from processors.segment import segment
from tests.processors.normalise.samples import one

TEXT = (
    "Plans to repair the harbour wall in the spring of next year\n\n"
    "PORT ALDER (NNA) - The council said on Monday that it would repair the wall of the harbour.\n\nWork begins in May."
)


@pytest.mark.parametrize(
    ("slugline", "kind"),
    [
        ("Plans-to-repair-the-harbour-wall-in-the-spring-of-next-year", "slug"),
        ("Harbour-Wall", "subhead"),
        (None, "subhead"),
    ],
)
def test_the_slug_line_is_a_slug_whatever_it_looks_like(slugline: str | None, kind: str) -> None:
    item = {
        "uri": "urn:example:1", "versionCreated": "2026-01-22T12:00:00Z", "headline": "Harbour to be safe again", "body_text": TEXT,
        "slugline": slugline,
    }  # fmt: skip
    event = segment(one(orjson.dumps(item)), SegmentSettings())
    assert [part.kind for part in event.segments or ()] == [
        kind,
        "dateline",
        "paragraph",
        "paragraph",
    ]


def test_a_slug_line_that_is_the_headline_too_stays_the_headline() -> None:
    title = TEXT.partition("\n")[0]
    item = {"uri": "urn:example:1", "versionCreated": "2026-01-22T12:00:00Z", "body_text": TEXT, "slugline": title, "headline": title}  # fmt: skip
    first, *_ = segment(one(orjson.dumps(item)), SegmentSettings()).segments or ()
    assert first.kind == "headline"
