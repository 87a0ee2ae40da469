"""What the spellings and dialects of ninjs tell, where they tell it twice or in another place."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from processors.model.story import Story
from tests.processors.normalise.samples import one

WORDS = "The council of Port Alder said on Monday that it would repair the wall of the harbour by spring."


def story_of(**members: Any) -> Story:
    return one(orjson.dumps({"uri": "urn:example:1", "body_text": WORDS, **members})).story


@pytest.mark.parametrize(
    ("members", "name", "value"),
    [
        ({"pubStatus": None, "pubstatus": "killed"}, "pub_status", "canceled"),
        ({"versioncreated": "2026-01-22T12:00:00Z", "versionCreated": "soon"}, "version_created", "2026-01-22T12:00:00Z"),
        ({"usageterms": ["No archives", 3, "No resale"]}, "usage_terms", "No archives\nNo resale"),
        ({"byline": " Ann Lark "}, "by", "Ann Lark"), ({"version": 3}, "version", "3"), ({"version": 0}, "version", "0"),
        ({"representationtype": "incomplete"}, "representation_type", "partial"), ({"type": ["text"]}, "type", "text"),
        ({"priority": 3}, "urgency", 3), ({"priority": 3, "urgency": 5}, "urgency", 5), ({"urgency": 12}, "urgency", None),
        ({"authors": [{"name": "Ann Lark"}, "Bo Reed"]}, "by", "Ann Lark, Bo Reed"),
        ({"authors": ["Bo Reed"], "by": "Ann Lark"}, "by", "Ann Lark"), ({"title": 5}, "title", None), ({"slugline": "  "}, "slugline", None),
    ],
)  # fmt: skip
def test_a_member_is_read_in_each_spelling(members: dict[str, Any], name: str, value: object) -> None:
    assert getattr(story_of(**members), name) == value


@pytest.mark.parametrize(
    ("members", "names"),
    [
        ({"infoSources": [{"name": "NNA"}], "source": "Other"}, ["NNA"]), ({"source": " NNA "}, ["NNA"]), ({"provider": "NNA"}, ["NNA"]),
        ({"infosource": ["NNA", {}, None, 4, {"name": "Courier"}]}, ["NNA", "Courier"]), ({"infoSources": {"name": "NNA"}}, ["NNA"]),
    ],
)  # fmt: skip
def test_sources_are_told_in_many_shapes(members: dict[str, Any], names: list[str]) -> None:
    assert [source.name for source in story_of(**members).info_sources] == names


def test_services_and_keywords_are_subjects_beside_the_others() -> None:
    event = story_of(
        subject=[{"name": "ports"}], service=[{"name": "economy"}], keywords=["harbours", "ports"]
    )
    assert [subject.name for subject in event.subjects] == ["ports", "economy", "harbours"]


def test_the_main_texts_are_chosen_by_their_roles_and_the_others_stay() -> None:
    texts = {
        "headlines": [{"role": "short", "value": "Wall"}, {"role": "main", "value": "Harbour wall to be repaired"}],
        "bodies": [{"contentType": "text/html", "value": "<p>Markup</p>"}, {"role": "main", "contentType": "text/plain", "value": WORDS}],
    }  # fmt: skip
    event = one(orjson.dumps({"uri": "urn:example:1", **texts}))
    assert (event.headline, event.text) == ("Harbour wall to be repaired", WORDS)
    assert [text.role for text in event.story.headlines] == ["main", "short"]
    assert [text.content_type for text in event.story.bodies] == ["text/plain", "text/html"]
