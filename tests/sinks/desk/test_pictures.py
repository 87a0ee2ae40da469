"""Pictures that came with a story: caption and credit always, the file only where the operator lets the desk fetch it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from lxml import html
from lxml.html import HtmlElement
from msgspec.structs import replace

from config.settings import Desk, Poll, Settings
from processors.model.event import Event
from processors.model.story import InfoSource, Rendition, Story, Text
from sinks.desk.app import make_app
from sinks.desk.pictures import PictureCache, list_media, sniff_picture
from sinks.desk.ports import DeskExtras
from streams.pollers.picture_files import PictureFiles
from tests.sinks.conftest import Shelf
from tests.sinks.desk.conftest import Client, Feeds
from tests.sinks.events import event

JPEG = b"\xff\xd8\xff\xe0" + b"x" * 100
URL = "https://nda.example/quay.jpg"
NOW = 1_769_947_200_000


def picture(*files: Rendition, **members: object) -> Story:
    return Story(
        "urn:p",
        type="picture",
        descriptions=(Text("The quay of Veldhaven at <noon>.", "caption"),),
        by="Tomas Lind",
        info_sources=(InfoSource("NDA"),),
        renditions=files,
        **members,  # type: ignore[arg-type]
    )


def with_pictures(uri: str, *pictures: Story) -> Event:
    story = event(uri)
    return replace(story, story=replace(story.story, associations=pictures))


class Publisher:
    """Gives what the test says, and counts."""

    def __init__(self, body: bytes | None = JPEG) -> None:
        self.body, self.asked = body, [""]

    async def fetch(self, url: str) -> bytes | None:
        self.asked.append(url)
        await asyncio.sleep(0)
        return self.body


@pytest.fixture
def publisher() -> Publisher:
    return Publisher()


@pytest.fixture
async def picture_desk(shelf: Shelf, publisher: Publisher) -> AsyncIterator[Client]:
    app = make_app(shelf.search, Feeds(), Desk(), extras=DeskExtras(pictures=publisher))
    client = TestClient(TestServer(app))
    await client.start_server()
    yield client
    await client.close()


async def shown(desk: Client, uri: str) -> HtmlElement:
    made: HtmlElement = html.document_fromstring(await (await desk.get(f"/stories/{uri}")).text())
    return made


async def test_a_picture_has_caption_and_credit_and_no_file_of_a_stranger_by_default(
    desk: Client, shelf: Shelf
) -> None:
    shelf.put(with_pictures("urn:a", picture(Rendition("main", URL, "image/jpeg", width=1200, height=800))))
    page = await shown(desk, "urn:a")
    assert page.cssselect("img") == []
    words = " ".join(page.cssselect(".media figcaption")[0].text_content().split())
    assert words.startswith("The quay of Veldhaven at <noon>. Tomas Lind / NDA picture, 1200 × 800")
    assert page.cssselect(".media a")[0].get("href") == URL
    assert (await desk.get("/pictures/0/urn:a")).status == 404


async def test_a_picture_is_fetched_once_and_shown_from_the_desk(
    picture_desk: Client, shelf: Shelf, publisher: Publisher
) -> None:
    shelf.put(with_pictures("urn:a", picture(Rendition("main", URL, "image/jpeg"))))
    (image,) = (await shown(picture_desk, "urn:a")).cssselect(".media img")
    assert image.get("src") == "/pictures/0/urn%3Aa"
    assert image.get("alt") == "The quay of Veldhaven at <noon>."
    answers = await asyncio.gather(*(picture_desk.get(image.get("src") or "") for _ in range(5)))
    assert [(answer.status, answer.content_type) for answer in answers] == [(200, "image/jpeg")] * 5
    assert await answers[0].read() == JPEG
    assert answers[0].headers["Cache-Control"].startswith("private")
    assert publisher.asked[1:] == [URL]


async def test_pictures_of_what_is_withdrawn_or_under_embargo_are_not_given(
    picture_desk: Client, shelf: Shelf, publisher: Publisher
) -> None:
    file = Rendition("main", URL, "image/jpeg")
    shelf.put(
        with_pictures("urn:a", picture(file)),
        event("urn:k", relation="kill", chain="urn:a", of="urn:a", sequence=2, status="canceled"),
        with_pictures(
            "urn:b",
            picture(file, embargoed_until="2999-01-01T00:00:00Z"),
            picture(file, pub_status="canceled"),
        ),
    )
    later = with_pictures("urn:later", picture(file))
    shelf.put(replace(later, story=replace(later.story, embargoed_until="2999-01-01T00:00:00Z")))
    for path in (
        "0/urn:a",
        "0/urn:b",
        "1/urn:b",
        "0/urn:later",
        "0/urn:nobody",
        "9/urn:b",
        "9" * 400 + "/urn:b",
    ):
        assert (await picture_desk.get(f"/pictures/{path}")).status == 404, path
    assert publisher.asked[1:] == []


@pytest.mark.parametrize(
    "body",
    [
        None,
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
        b"<html>",
        b"GIF",
        b"RIFF1234WAVE",
    ],
)
async def test_what_is_no_picture_is_not_given_and_not_asked_for_again(
    picture_desk: Client, shelf: Shelf, publisher: Publisher, body: bytes | None
) -> None:
    publisher.body = body
    shelf.put(with_pictures("urn:a", picture(Rendition("main", URL, "image/jpeg"))))
    for _ in range(3):
        assert (await picture_desk.get("/pictures/0/urn:a")).status == 404
    assert len(publisher.asked) == 2


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\xff\xd8\xff\xdb", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x1cftypavif", "image/avif"),
        (b"\x00\x00\x00\x1cftypmp42", None),
    ],
)
def test_a_picture_is_known_by_its_first_bytes(start: bytes, kind: str | None) -> None:
    assert sniff_picture(start + b"\x00" * 20) == kind


def test_the_file_is_the_smallest_that_fills_a_page_and_no_drawing_with_script() -> None:
    files = (
        Rendition("vector", "https://nda.example/a.svg", "image/svg+xml"),
        Rendition("large", "https://nda.example/l.jpg", "image/jpeg", width=4000),
        Rendition("page", "https://nda.example/p.jpg", "image/jpeg", width=800),
        Rendition("thumbnail", "https://nda.example/t.jpg", "image/jpeg", width=120),
    )
    (item,) = list_media(with_pictures("urn:a", picture(*files)), NOW)
    assert item.link == "https://nda.example/p.jpg"
    (item,) = list_media(with_pictures("urn:a", picture(files[0])), NOW)
    assert not item.is_picture
    (item,) = list_media(
        with_pictures("urn:a", picture(Rendition("main", "javascript:alert(1)", "image/jpeg"))), NOW
    )
    assert item.link == ""


def test_pictures_within_packages_are_listed_and_a_gallery_has_an_end() -> None:
    inner = Story("urn:inner", type="text", associations=(picture(Rendition("main", URL, "image/jpeg")),))
    assert [item.kind for item in list_media(with_pictures("urn:a", inner), NOW)] == ["picture"]
    assert len(list_media(with_pictures("urn:a", *[picture()] * 500), NOW)) == 50


async def test_the_cache_keeps_the_latest_up_to_its_size_and_forgets_failures() -> None:
    publisher, seconds = Publisher(), [0.0]
    cache = PictureCache(publisher, lambda: seconds[0], max_bytes=250)
    for name in "aba":
        await cache.get(name)
    assert publisher.asked[1:] == ["a", "b"]
    await cache.get("c")
    assert await cache.get("a") is not None
    assert publisher.asked[1:] == ["a", "b", "c"], "the one that was not asked for longest has gone"
    await cache.get("b")
    assert publisher.asked[-1] == "b"
    publisher.body = None
    assert await cache.get("gone") is None
    publisher.body = JPEG
    assert await cache.get("gone") is None
    seconds[0] = 1000.0
    assert await cache.get("gone") is not None


async def test_files_are_fetched_from_allowed_addresses_only_and_up_to_a_size() -> None:
    async def give(request: web.Request) -> web.Response:
        return web.Response(body=JPEG * int(request.query.get("times", "1")), content_type="image/jpeg")

    app = web.Application()
    app.add_routes([web.get("/a.jpg", give)])
    server = TestServer(app)
    await server.start_server()
    url = str(server.make_url("/a.jpg"))
    desk = Desk(pictures=True, picture_max_bytes=1000)
    async with PictureFiles(Settings(desk=desk)) as files:
        assert await files.fetch(url) is None, "this machine is no public address"
    opened = Poll(allowed_addresses=(f"127.0.0.1:{server.port}",))
    async with PictureFiles(Settings(desk=desk, poll=opened)) as files:
        assert await files.fetch(url) == JPEG
        assert await files.fetch(f"{url}?times=20") is None
        assert await files.fetch(str(server.make_url("/none"))) is None
        assert await files.fetch("https://[") is None
    await server.close()
