"""The pages as a browser without script gets them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from aiohttp.test_utils import TestClient, TestServer
from lxml import html
from lxml.html import HtmlElement

from config.settings import Desk
from sinks.desk.app import make_app
from sinks.desk.ports import DeskExtras, FirstSteps
from tests.sinks.conftest import Shelf
from tests.sinks.desk.conftest import Client, Feeds
from tests.sinks.events import COPY, START, at, dispatch, event


async def page(desk: Client, path: str, status: int = 200) -> HtmlElement:
    answer = await desk.get(path)
    assert answer.status == status
    return html.document_fromstring(await answer.text())


def words(element: HtmlElement, path: str) -> list[str]:
    return [" ".join(each.text_content().split()) for each in element.cssselect(path)]


async def test_the_list_shows_the_newest_first(desk: Client, shelf: Shelf) -> None:
    shelf.put(event("urn:a", headline="Older", minute=1), event("urn:b", headline="Newer", minute=2))
    assert words(await page(desk, "/"), ".story h2") == ["Newer", "Older"]


async def test_a_search_marks_its_words(desk: Client, shelf: Shelf) -> None:
    shelf.put(dispatch(), event("urn:other", headline="Elsewhere", text="Nothing of the kind."))
    found = await page(desk, "/?q=winter")
    assert words(found, ".story h2") == ["Okafor: <b>harbour</b> opens & stays open"]
    assert words(found, ".lead mark") == ["winter"]


async def test_filters_are_kept_by_the_link_to_the_next_page(desk: Client, shelf: Shelf) -> None:
    shelf.put(*(event(f"urn:{n}", minute=n, language="de") for n in range(3)), event("urn:en", minute=9))
    first = await page(desk, "/?language=de&limit=2")
    (link,) = first.cssselect("a[rel=next]")
    second = await page(desk, link.get("href"))
    assert len(first.cssselect(".story")) == 2
    assert [each.get("href") for each in second.cssselect(".story h2 a")] == ["/stories/urn%3A0"]


async def test_a_story_shows_all_that_was_found_in_it(desk: Client, shelf: Shelf) -> None:
    shelf.put(dispatch())
    shown = await page(desk, "/stories/urn%3Anda%3A1")
    assert "".join(shown.cssselect(".copy")[0].text_content().split()) == "".join(COPY.split())
    assert [each.get("data-kind") for each in shown.cssselect(".segment")] == [
        "dateline", "paragraph", "paragraph", "initials",
    ]  # fmt: skip
    assert words(shown, ".copy .name.per") == ["Ines Okafor"]
    assert words(shown, ".copy .quote") == ["We will not wait another winter,"]
    assert words(shown, ".copy .speaker") == ["she"]
    assert words(shown, ".copy .date") == ["Friday"]
    assert shown.cssselect(".copy .damage.gap")[0].get("aria-label") == "damaged copy: words are missing"
    assert words(shown, "h1") == ["Okafor: <b>harbour</b> opens & stays open"]


async def test_a_story_lists_its_versions_and_repeats(desk: Client, shelf: Shelf) -> None:
    shelf.put(
        event("urn:a", headline="First"),
        event("urn:b", headline="Again", relation="duplicate", chain="urn:a", of="urn:a", minute=1),
        event("urn:c", headline="More", relation="update", chain="urn:a", of="urn:a", sequence=2, minute=2),
    )
    assert words(await page(desk, "/stories/urn%3Ac"), ".chain a") == ["First", "More", "Again"]


async def test_a_kill_that_reaches_no_story_is_an_alert_on_the_list_and_on_its_page(
    desk: Client, shelf: Shelf
) -> None:
    shelf.put(event("urn:a", headline="Wrong"))
    shelf.put(event("urn:k", headline="Kill", relation="kill", chain="urn:a", of="urn:a", sequence=2))
    assert words(await page(desk, "/"), ".alert[role=alert]") == []
    now = (datetime.now(UTC) - START) / timedelta(minutes=1)
    shelf.put(event("urn:lost", headline="Kill of what?", relation="kill", minute=now, created=at(0)))
    shelf.put(event("urn:old", headline="Kill of long ago", relation="kill"))
    listed = await page(desk, "/")
    (alert,) = words(listed, ".alert[role=alert]")
    assert alert.startswith("A kill reaches no story: Kill of what?.")
    assert words(await page(desk, "/?relation=kill"), ".story .tag.flash") == ["reaches no story"] * 2
    assert "reaches no story" in words(await page(desk, "/stories/urn%3Alost"), "[role=alert]")[0]
    assert "reaches no story" not in words(await page(desk, "/stories/urn%3Ak"), "[role=alert]")[0]


async def test_a_killed_story_says_so_and_is_not_listed(desk: Client, shelf: Shelf) -> None:
    shelf.put(event("urn:a", headline="Wrong"))
    shelf.put(event("urn:k", headline="Kill", relation="kill", chain="urn:a", of="urn:a", sequence=2))
    assert words(await page(desk, "/?q=wrong"), ".story h2") == []
    shown = await page(desk, "/stories/urn%3Aa")
    assert "Do not use it" in words(shown, "[role=alert]")[0]
    assert shown.cssselect("[role=alert] a")[0].get("href") == "/stories/urn%3Ak"


@pytest.mark.parametrize(
    "uri", ["https://nda.example/a/b?c=d&e=%20#f", "urn:x:ünï", "a b", "../../etc", "x%2Fy", "<script>"]
)
async def test_every_uri_has_an_address(desk: Client, shelf: Shelf, uri: str) -> None:
    shelf.put(event(uri, headline="Here it is"))
    (link,) = (await page(desk, "/")).cssselect(".story h2 a")
    assert link.get("href") == f"/stories/{quote(uri, safe='')}"
    answer = await desk.get(f"/api{link.get('href')}")
    assert (await answer.json())["story"]["uri"] == uri


async def test_nothing_in_a_story_becomes_markup(desk: Client, shelf: Shelf) -> None:
    attack = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    shelf.put(
        event(
            f"urn:{attack}", headline=attack, text=attack, feed=attack, names=(attack,), topics=("medtop:1",)
        )
    )
    story = f"/stories/{quote('urn:' + attack, safe='')}"
    for path, status in (("/", 200), ("/?q=alert", 200), (f"/?q={quote(attack)}", 400), (story, 200)):
        shown = await page(desk, path, status)
        assert shown.cssselect("script:not([src]), img, [onerror]") == []


async def test_a_link_of_the_publisher_that_is_no_web_address_is_not_a_link(
    desk: Client, shelf: Shelf
) -> None:
    from msgspec.structs import replace

    from processors.model.story import AltId

    told = dispatch()
    links = (AltId("javascript:alert(1)", "link"), AltId("https://nda.example/1", "link"))
    shelf.put(replace(told, story=replace(told.story, alt_ids=links)))
    shown = await page(desk, "/stories/urn%3Anda%3A1")
    assert [each.get("href") for each in shown.cssselect("dd a[rel~=external]")] == ["https://nda.example/1"]


async def test_right_to_left_copy_finds_its_own_direction(desk: Client, shelf: Shelf) -> None:
    shelf.put(event("urn:he", headline="הנמל נפתח מחדש", text="אוניות חזרו לנמל.", language="he"))
    shown = await page(desk, "/stories/urn%3Ahe")
    assert {each.get("dir") for each in shown.cssselect("h1, .segment")} == {"auto"}


async def test_an_unknown_story_is_a_page_that_says_so(desk: Client) -> None:
    assert "No such story" in words(await page(desk, "/stories/urn%3Anone", 404), "h1")


async def test_a_filter_that_means_nothing_is_said(desk: Client) -> None:
    assert "limit=0" in (await page(desk, "/?limit=0", 400)).text_content()


async def test_feeds_in_trouble_say_what_to_do(desk: Client) -> None:
    shown = await page(desk, "/feeds")
    assert words(shown, "table.feeds .state") == ["ok", "erroring"]
    assert words(shown, ".message") == ["a page"]
    assert "3 dead letters" in words(shown, ".tiles li")


async def test_an_index_that_does_not_answer_is_said(desk: Client, shelf: Shelf) -> None:
    shelf.connection.execute("DROP TABLE stories")
    shown = await page(desk, "/", 503)
    assert words(shown, "h1") == ["The index does not answer"]
    assert (await desk.get("/api/stories")).status == 503
    assert (await desk.get("/readyz")).status == 503
    assert (await desk.get("/livez")).status == 200


async def test_a_first_page_of_samples_says_so_and_what_to_do_next(shelf: Shelf) -> None:
    steps = FirstSteps("/data/of mine", "", "samples")
    app = make_app(shelf.search, Feeds(), Desk(), extras=DeskExtras(first_steps=steps))
    async with TestClient(TestServer(app)) as desk:
        assert "No story has come yet." in words(await page(desk, "/"), ".first-steps b")
        shelf.put(event("urn:a", feed="samples"))
        shown = await page(desk, "/")
        assert words(shown, ".first-steps b") == ["These are samples."]
        (link,) = shown.cssselect(".first-steps a")
        assert words(await page(desk, link.get("href")), "dd code")[-1] == "/data/of mine"
        assert (await page(desk, "/?language=en")).cssselect(".first-steps") == [], "not on every page"
        shelf.put(*(event(f"urn:real:{n}", minute=n + 1) for n in range(60)))
        assert (await page(desk, "/")).cssselect(".first-steps") == [], "real stories have taken their place"
