"""Each agency of agencies.toml comes out as the best known one does, wherever it is named: its entry is all there is to add."""

from __future__ import annotations

import pytest

from config.lexicon import agencies
from config.settings import SegmentSettings, Tag
from processors.model.event import Event, Language
from processors.model.story import Story
from processors.segment import segment
from processors.tag import Tagger

BEST_KNOWN = "Reuters"
AGENCIES = [agency.name for agency in agencies().agency]
STORY = (
    "The lock gate of Ashmere opens to boats after a winter of repairs, its keeper said on Saturday.\n\n"
    "It was mended by the men of three villages, who had asked for it since the flood of last spring."
)


def segmented(text: str) -> Event:
    story = Story(uri="urn:x", version_created="2026-11-21T10:00:00Z")
    return segment(Event(story, text=text, language=Language("en", 1.0)), SegmentSettings())


def kinds(text: str) -> list[str]:
    return [part.kind for part in segmented(text).segments or ()]


@pytest.mark.parametrize("agency", AGENCIES)
@pytest.mark.parametrize(
    "credit",
    [
        "(Ana Ruiz/{})",
        "({}/Ana Ruiz)",
        "Ana Ruiz/{}",
        "{}/Ana Ruiz",
        "(Ana Ruiz via {})",
        "(Photo by Ana Ruiz/{})",
        "Foto: Ana Ruiz/{}",
    ],
)
def test_a_credit_ends_a_caption(agency: str, credit: str) -> None:
    text = f"{STORY}\n\nA boat leaves Ashmere on Saturday, Nov. 21, 2026. " + credit
    expected = kinds(text.format(BEST_KNOWN))

    assert expected[-2:] == ["caption", "credit"]
    assert kinds(text.format(agency)) == expected


@pytest.mark.parametrize("agency", AGENCIES)
@pytest.mark.parametrize("sign", ["\n\n{}", "\n\n({})", " {}", " ({})"])
def test_a_sign_off_ends_a_story(agency: str, sign: str) -> None:
    text = STORY + sign
    expected = kinds(text.format(BEST_KNOWN))

    assert expected[-1] == "signoff"
    assert kinds(text.format(agency)) == expected


@pytest.mark.parametrize("agency", AGENCIES)
@pytest.mark.parametrize(
    "line",
    [
        "LONDON, Nov 21 ({}) -",
        "LONDON (Ruritania) ({}) -",
        "LONDON, Nov. 21 /{}/ --",
        "({}) - LONDON, NOV 21 -",
    ],
)
def test_a_dateline_names_it(agency: str, line: str) -> None:
    event = segmented(f"{line.format(agency)} {STORY}")

    assert event.dateline is not None
    assert event.dateline.agency == agency
    assert [place.name for place in event.dateline.places] == ["London"]


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return Tagger(Tag())


@pytest.mark.parametrize("agency", AGENCIES)
def test_a_mention_is_an_organisation(tagger: Tagger, agency: str) -> None:
    text = f"The lock gate of Ashmere opens to boats, its keeper told {agency} on Saturday."
    (event,) = tagger.tag([segmented(text)])
    mentions = [(mention.label, mention.text) for mention in event.mentions or ()]

    assert ("ORG", agency) in mentions
