"""The page of a story and that of a happening: facts, places, versions beside each other, and what one takes along."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from urllib.parse import quote

import pytest
from aiohttp.test_utils import TestClient, TestServer
from lxml import html
from lxml.html import HtmlElement
from msgspec.structs import replace

from config.settings import Desk
from processors.errors import Unreachable
from processors.model.codec import decode
from processors.model.event import (
    ClusterStanding,
    DateExpression,
    Dateline,
    Entity,
    Event,
    Mention,
    Place,
    StepTrace,
    Topic,
)
from processors.model.story import AltId, Story
from sinks.desk.app import make_app
from sinks.desk.novel_sentences import find_novel_sentences
from sinks.desk.ports import DeskExtras
from sinks.desk.story_page import MAX_LISTED, find_key_facts
from sinks.desk.tokens import TokenFile
from tests.sinks.conftest import Shelf
from tests.sinks.desk.conftest import Client, Feeds
from tests.sinks.events import at, dispatch, event, reports

ATTACK = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


async def page(
    desk: Client, uri: str, query: str = "", status: int = 200, kind: str = "stories"
) -> HtmlElement:
    answer = await desk.get(f"/{kind}/{quote(uri, safe='')}{query}")
    assert answer.status == status
    shown: HtmlElement = html.document_fromstring(await answer.text())
    return shown


def words(element: HtmlElement, path: str) -> list[str]:
    return [" ".join(each.text_content().split()) for each in element.cssselect(path)]


def story_with_facts() -> Event:
    return replace(
        dispatch(),
        entities=(
            Entity("e1", "PER", "Tomas Lind", relevance=10),
            Entity("e2", "ORG", "Harbour Board", relevance=60),
            Entity("e3", "PER", "Ines Okafor", roles=("mayor",), relevance=90),
            Entity(
                "e4",
                "LOC",
                "Lindmark",
                place=Place(country="SE", latitude=60.1, longitude=15.2),
                relevance=40,
            ),
        ),
        dates=(
            DateExpression(0, 1, "Friday", "2026-01-30"),
            DateExpression(2, 3, "then", "2026-01-30"),
            DateExpression(4, 5, "now", "PRESENT_REF"),
            DateExpression(6, 7, "two days", "P2D", "DURATION"),
        ),
        topics=(Topic("medtop:04000000", "economy", 0.9, 20), Topic("medtop:20000000", "ports", 0.7, 80)),
    )


def test_key_facts_are_the_most_relevant_of_each_kind() -> None:
    facts = find_key_facts(story_with_facts())
    assert [entity.name for entity in facts.who] == ["Ines Okafor", "Harbour Board"], (
        "who only wrote is no fact"
    )
    assert [place.name for place in facts.where] == ["Veldhaven", "Lindmark"], "the dateline first"
    assert [date.value for date in facts.when] == ["2026-01-30"], "a day once, and no span of time"
    assert [topic.name for topic in facts.about] == ["ports", "economy"]
    assert not find_key_facts(Event(Story("urn:a")))


async def test_a_story_says_who_where_when_and_what_about_and_draws_its_places(
    desk: Client, shelf: Shelf
) -> None:
    shelf.put(story_with_facts())
    shown = await page(desk, "urn:nda:1")
    assert words(shown, ".key-facts dt") == ["Who", "Where", "When", "What about"]
    assert words(shown, ".key-facts dd")[0] == "Ines Okafor mayor, Harbour Board"
    assert words(shown, ".side svg.world title") == ["Veldhaven", "Lindmark"]
    assert shown.cssselect("svg.world image")[0].get("href") == "/static/world.svg"
    assert (await desk.get("/static/world.svg")).status == 200


async def test_a_story_without_places_dates_and_names_has_no_map_and_no_facts(
    desk: Client, shelf: Shelf
) -> None:
    shelf.put(
        event("urn:a"),
        replace(event("urn:b"), dateline=Dateline(0, 4, (Place("Nowhere"), Place("X", "XX", 99.0, 0.0)))),
    )
    for uri in ("urn:a", "urn:b"):
        shown = await page(desk, uri)
        assert shown.cssselect("svg.world") == []


async def test_a_story_with_five_thousand_entities_lists_the_first_and_marks_all(
    desk: Client, shelf: Shelf
) -> None:
    text = " ".join(f"Name{number:04}" for number in range(5000))
    many = replace(
        event("urn:many", text=text),
        entities=tuple(Entity(f"e{n}", "PER", f"Name{n:04}", relevance=n % 100) for n in range(5000)),
        mentions=tuple(Mention(9 * n, 9 * n + 8, f"Name{n:04}", "PER", f"e{n}") for n in range(5000)),
    )
    shelf.put(many)
    shown = await page(desk, "urn:many")
    assert len(shown.cssselect(".side .names li")) == MAX_LISTED
    assert "And 4900 more." in shown.cssselect(".side")[0].text_content()
    assert len(shown.cssselect(".copy .name")) == 5000


async def test_nothing_that_a_publisher_writes_becomes_markup(desk: Client, shelf: Shelf) -> None:
    hostile = replace(
        event(f"urn:{ATTACK}", headline=ATTACK, text=ATTACK, names=(ATTACK,)),
        dateline=Dateline(0, 4, (Place(ATTACK, "ES", 42.0, -8.0),), agency=ATTACK),
    )
    picture = Story("urn:p", type="picture", by=ATTACK, usage_terms=ATTACK)
    shelf.put(
        replace(
            hostile,
            story=replace(
                hostile.story, associations=(picture,), alt_ids=(AltId(f"https://{ATTACK}", "link"),)
            ),
        )
    )
    shown = await page(desk, f"urn:{ATTACK}")
    assert shown.cssselect("script:not([src]), img, [onerror]") == []


async def test_any_two_members_of_a_chain_are_laid_beside_each_other(desk: Client, shelf: Shelf) -> None:
    shelf.put(
        event("urn:a", text="The ferry stops at noon."),
        event(
            "urn:b",
            text="The ferry stops at night.",
            relation="update",
            chain="urn:a",
            of="urn:a",
            sequence=2,
            minute=1,
        ),
        event(
            "urn:c",
            text="No ferry stops.",
            relation="update",
            chain="urn:a",
            of="urn:b",
            sequence=3,
            minute=2,
        ),
    )
    shown = await page(desk, "urn:c", "?old=urn:a&new=urn:b")
    assert (words(shown, ".changed del"), words(shown, ".changed ins")) == (["noon"], ["night"])
    values = [option.get("value") for option in shown.cssselect(".compare select[name=old] option")]
    assert values[:2] == ["urn:a", "urn:b"]
    own_key = values[2]
    shown = await page(desk, "urn:c", f"?old=urn:a&new={own_key}")
    assert words(shown, ".changed ins") == ["No"]


@pytest.mark.parametrize(
    "query", ["?old=urn:nobody", "?old=urn:other&new=urn:a", "?new=nokey", "?old=urn:wrong"]
)
async def test_what_can_not_be_compared_is_said(desk: Client, shelf: Shelf, query: str) -> None:
    shelf.put(
        event("urn:a"),
        event("urn:other"),
        event("urn:wrong", relation="update", chain="urn:a", of="urn:a", sequence=2, minute=1),
        event(
            "urn:k", relation="kill", chain="urn:a", of="urn:wrong", sequence=3, minute=2, status="canceled"
        ),
        event("urn:later", relation="update", chain="urn:a", of="urn:a", sequence=4, minute=3),
    )
    shown = await page(desk, "urn:later", query)
    assert shown.cssselect(".difference") == []
    assert "can not be compared" in shown.cssselect("#difference")[0].text_content()


async def test_repeats_stand_beside_a_story_and_other_reports_of_its_event_with_what_is_new(
    desk: Client, shelf: Shelf
) -> None:
    shelf.put(
        *reports(),
        event(
            "urn:again",
            headline="Once more",
            relation="duplicate",
            chain="urn:ferry",
            of="urn:ferry",
            minute=9,
        ),
    )
    shown = await page(desk, "urn:transbordador")
    assert [link.get("href") for link in shown.cssselect(".reports li a")] == [
        "/stories/urn%3Aferry",
        "/stories/urn%3Atransbordador",
    ]
    assert "40% new" in words(shown, ".reports li")[1]
    assert words(await page(desk, "urn:ferry"), ".repeats-of li a") == ["Once more"]


def told(uri: str, text: str, source: str, minute: float, language: str = "en") -> Event:
    standing = ClusterStanding("urn:one", int(minute) + 1, 2, ("en",), at(0), 0.9, 0.5)
    made = event(uri, text=text, minute=minute, language=language, feed=source)
    return replace(made, cluster=standing)


FERRY = (
    told("urn:one", "A ferry ran aground near Veldhaven on Friday. Nobody was hurt.", "nda", 0),
    told(
        "urn:two",
        "A ferry ran aground near Veldhaven. Captain Oskar Brandt blamed thick fog, police said.",
        "blue",
        1,
    ),
    told("urn:tres", "Un transbordador encalló cerca de Veldhaven el viernes.", "sur", 2, "es"),
    told("urn:four", "On Friday a ferry ran aground near Veldhaven. Nobody was hurt.", "hill", 3),
)


def test_what_a_report_adds_are_the_sentences_that_earlier_ones_of_its_language_have_not() -> None:
    added = find_novel_sentences(FERRY)
    assert added == {"urn:two": ("Captain Oskar Brandt blamed thick fog, police said.",), "urn:four": ()}


async def test_a_happening_names_its_sources_in_order_of_time_and_what_each_added(
    desk: Client, shelf: Shelf
) -> None:
    shelf.put(*FERRY)
    shown = await page(desk, "urn:one", kind="clusters")
    assert words(shown, ".overview tbody th") == ["nda", "blue", "sur", "hill"]
    assert words(shown, ".added blockquote") == ["Captain Oskar Brandt blamed thick fog, police said."]
    assert words(shown, ".added .quiet") == ["Nothing that earlier reports in its language did not say."]


async def test_a_row_names_who_had_the_first_report_of_its_event(desk: Client, shelf: Shelf) -> None:
    shelf.put(
        *(
            replace(story, dateline=Dateline(0, 4, agency=name))
            for story, name in zip(FERRY, ("NDA", "Blue", "Sur", "Hill"), strict=True)
        )
    )
    answer = await (await desk.get("/api/stories?grouped=1")).json()
    assert [(hit["uri"], hit["firstSource"]) for hit in answer["stories"]] == [("urn:four", "NDA")]
    row = words(html.document_fromstring(await (await desk.get("/?grouped=1")).text()), ".story .cluster")
    assert row == ["first by NDA, in all from 2"]
    shelf.put(
        event(
            "urn:k", relation="kill", chain="urn:one", of="urn:one", sequence=2, minute=9, status="canceled"
        )
    )
    answer = await (await desk.get("/api/stories?grouped=1")).json()
    assert "firstSource" not in answer["stories"][0], "what is withdrawn is not named"


async def test_a_story_shows_its_way_through_the_steps(desk: Client, shelf: Shelf) -> None:
    made = dispatch()
    assert made.provenance
    steps = tuple(StepTrace(name, "1") for name in ("normalise", "deduplicate", "segment"))
    shelf.put(replace(made, provenance=replace(made.provenance, steps=steps)))
    way = words(await page(desk, "urn:nda:1"), ".way li")
    assert [line.split()[0] for line in way[2:]] == ["normalise", "deduplicate", "segment"]
    assert way[0].endswith("published")
    assert "received" in way[1]


FORMS_AND_WORDS = [
    ("text", "text/plain", b"Okafor: <b>harbour</b> opens & stays open"),
    ("ninjs-3.1", "application/json", b'"urn:nda:1"'),
    ("newsml-g2", "application/vnd.iptc.g2.newsmessage+xml", b"newsMessage"),
    ("rss", "application/rss+xml", b"<rss"),
]


@pytest.mark.parametrize(("form", "kind", "part"), FORMS_AND_WORDS)
async def test_a_story_is_taken_along_in_many_forms(
    desk: Client, shelf: Shelf, form: str, kind: str, part: bytes
) -> None:
    shelf.put(dispatch())
    answer = await desk.get(f"/api/forms/{form}/urn%3Anda%3A1")
    assert (answer.status, answer.content_type) == (200, kind)
    assert part in await answer.read()


async def test_a_withdrawn_unknown_or_embargoed_story_is_not_taken_along(desk: Client, shelf: Shelf) -> None:
    shelf.put(
        event("urn:a"),
        event("urn:k", relation="kill", chain="urn:a", of="urn:a", sequence=2, status="canceled"),
        event("urn:later", embargo="2999-01-01T00:00:00Z"),
    )
    for uri, status in (("urn:a", 409), ("urn:later", 404), ("urn:nobody", 404)):
        assert (await desk.get(f"/api/forms/text/{uri}")).status == status
    assert (await desk.get("/api/forms/docx/urn:a")).status == 404
    shown = await page(desk, "urn:a")
    assert shown.cssselect(".take") == []


class Webhooks:
    """Two targets; what they got."""

    targets: Sequence[str] = ("newsroom", "radio")

    def __init__(self) -> None:
        self.got: list[tuple[str, str]] = []

    async def hand_on(self, target: str, story: Event) -> None:
        if target == "radio":
            raise Unreachable("the disk is full")
        self.got.append((target, story.story.uri))


@pytest.fixture
def webhooks() -> Webhooks:
    return Webhooks()


@pytest.fixture
async def handing_desk(shelf: Shelf, webhooks: Webhooks) -> AsyncIterator[Client]:
    app = make_app(shelf.search, Feeds(), Desk(), extras=DeskExtras(hand_on=webhooks))
    client = TestClient(TestServer(app))
    await client.start_server()
    yield client
    await client.close()


async def test_an_editor_hands_a_story_on_to_a_webhook_by_page_and_by_api(
    handing_desk: Client, shelf: Shelf, webhooks: Webhooks
) -> None:
    shelf.put(dispatch())
    shown = await page(handing_desk, "urn:nda:1")
    assert words(shown, ".hand-on option") == ["newsroom", "radio"]
    action = shown.cssselect(".hand-on")[0].get("action")
    answer = await handing_desk.post(action, data={"target": "newsroom"})
    assert "Handed on to newsroom." in await answer.text()
    answer = await handing_desk.post("/api/hand-on/urn%3Anda%3A1", json={"target": "newsroom"})
    assert answer.status == 202
    assert webhooks.got == [("newsroom", "urn:nda:1")] * 2


@pytest.mark.parametrize(
    ("uri", "target", "status"),
    [
        ("urn:a", "nobody", 404),
        ("urn:nobody", "newsroom", 404),
        ("urn:later", "newsroom", 404),
        ("urn:killed", "newsroom", 409),
        ("urn:a", "radio", 503),
    ],
)
async def test_what_can_not_be_handed_on_is_refused(
    handing_desk: Client, shelf: Shelf, webhooks: Webhooks, uri: str, target: str, status: int
) -> None:
    shelf.put(
        event("urn:a"),
        event("urn:killed"),
        event("urn:k", relation="kill", chain="urn:killed", of="urn:killed", sequence=2, status="canceled"),
        event("urn:later", embargo="2999-01-01T00:00:00Z"),
    )
    answer = await handing_desk.post(f"/api/hand-on/{uri}", json={"target": target})
    assert answer.status == status
    assert (
        await handing_desk.post(f"/hand-on/{uri}", data={"target": target}, allow_redirects=False)
    ).status == status
    assert webhooks.got == []


async def test_who_may_only_read_hands_nothing_on(shelf: Shelf, webhooks: Webhooks, tmp_path: Path) -> None:
    shelf.put(dispatch())
    tokens = TokenFile(tmp_path / "tokens.json")
    _, reads = tokens.create("newsroom", ("read",), None)
    _, operates = tokens.create("night-shift", ("read", "operate"), None)
    app = make_app(shelf.search, Feeds(), Desk(), tokens=tokens, extras=DeskExtras(hand_on=webhooks))
    async with TestClient(TestServer(app)) as client:
        for secret, statuses in ((reads, (403, 403)), (operates, (202, 303))):
            headers = {"Authorization": f"Bearer {secret}"}
            answer = await client.post(
                "/api/hand-on/urn%3Anda%3A1", json={"target": "newsroom"}, headers=headers
            )
            form = await client.post(
                "/hand-on/urn%3Anda%3A1", data={"target": "newsroom"}, headers=headers, allow_redirects=False
            )
            assert (answer.status, form.status) == statuses
    assert len(webhooks.got) == 2


async def test_without_webhooks_nothing_is_handed_on(desk: Client, shelf: Shelf) -> None:
    shelf.put(dispatch())
    assert (await page(desk, "urn:nda:1")).cssselect(".hand-on") == []
    assert (await desk.post("/hand-on/urn%3Anda%3A1", data={"target": "newsroom"})).status in {404, 405}


def test_the_text_to_paste_names_the_headline_once() -> None:
    from sinks.desk.story_forms import write_text

    plain = write_text(dispatch())
    assert plain.count("opens & stays open") == 1
    assert plain.rstrip().endswith("urn:nda:1")
    assert decode(b'{"story":{"uri":"urn:x"}}', Event).story.uri in write_text(
        decode(b'{"story":{"uri":"urn:x"}}', Event)
    )
