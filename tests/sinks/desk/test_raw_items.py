"""The raw item of a story is given where the story itself, and all others in it, may be seen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from urllib.parse import quote

import pytest
from aiohttp.test_utils import TestClient, TestServer
from msgspec.structs import replace

from config.settings import Desk
from processors.model.event import Event, Provenance, WholeEvent
from processors.model.story import Story
from sinks.desk.app import make_app
from sinks.desk.raw_items import RawItems
from tests.sinks.conftest import Shelf
from tests.sinks.desk.conftest import Client, Feeds
from tests.sinks.events import at, event

URI = "https://nda.example/été 1"
ITEM = b'{"payload": "TGlzYm9u", "received": "2026-03-02T09:15:04Z"}'


def cut(story: Event, offset: int) -> Event:
    whole = WholeEvent(
        4_000_000, 2_000_000, ("text",), "wire.items.raw.v1", 0, offset, f"/api/items/{quote(URI, safe='')}"
    )
    return replace(story, provenance=replace(story.provenance or Provenance(at(0), "ninjs"), whole=whole))


class OneItem:
    """A log with one item, which holds what the test says."""

    def __init__(self) -> None:
        self.stories: list[Event] | None = [event(URI)]

    async def find_item(self, story: Event) -> bytes | None:
        return None if story.story.uri == "urn:gone" else ITEM

    async def list_stories(self, _item: bytes) -> Sequence[Event] | None:
        return self.stories


@pytest.fixture
def log() -> OneItem:
    return OneItem()


@pytest.fixture
async def client(shelf: Shelf, log: OneItem) -> AsyncIterator[Client]:
    shelf.put(cut(event(URI), 41), event("urn:whole"), cut(event("urn:gone"), 5))
    shelf.put(cut(event("urn:later", status="withheld", embargo="2999-01-01T00:00:00Z"), 41))

    app = make_app(shelf.search, Feeds(), Desk())
    RawItems(shelf.search, log).add_to(app)
    opened = TestClient(TestServer(app))
    await opened.start_server()
    yield opened
    await opened.close()


async def test_the_address_that_an_event_names_gives_the_raw_item(client: Client) -> None:
    story = await (await client.get(f"/api/stories/{quote(URI, safe='')}")).json()
    answer = await client.get(story["provenance"]["whole"]["address"])
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert await answer.read() == ITEM
    assert answer.headers["Cache-Control"].startswith("private"), "what a token opens is kept by nobody else"


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("urn:gone", "its topic keeps items for its retention"),
        ("urn:later", "no story has the uri urn:later"),
        ("urn:nobody", "no story has the uri urn:nobody"),
    ],
)
async def test_what_is_not_given_is_told_and_an_embargo_is_kept(client: Client, uri: str, words: str) -> None:
    answer = await client.get(f"/api/items/{uri}")
    assert answer.status == 404
    assert words in (await answer.json())["error"]["message"]


LATER = "2999-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "neighbour",
    [
        event("urn:b", embargo=LATER),
        event("urn:b", status="withheld"),
        event("urn:b", embargo="when the king has spoken"),
        replace(event("urn:b"), story=Story("urn:b", associations=(Story("urn:p", embargoed_until=LATER),))),
    ],
)
async def test_an_item_is_withheld_while_any_story_in_it_is(
    client: Client, log: OneItem, neighbour: Event
) -> None:
    log.stories = [event(URI), neighbour]
    answer = await client.get(f"/api/items/{quote(URI, safe='')}")
    assert answer.status == 403
    body = await answer.read()
    assert b"embargo" in body
    assert b"TGlzYm9u" not in body


async def test_an_item_is_given_once_the_embargo_of_all_has_ended(client: Client, log: OneItem) -> None:
    log.stories = [event(URI), event("urn:b", embargo="2026-01-01T00:00:00Z")]
    assert (await client.get(f"/api/items/{quote(URI, safe='')}")).status == 200


async def test_an_item_is_withheld_where_a_later_version_of_another_story_in_it_is(
    client: Client, log: OneItem, shelf: Shelf
) -> None:
    shelf.put(event("urn:b", embargo=LATER))
    log.stories = [event(URI), event("urn:b")]
    answer = await client.get(f"/api/items/{quote(URI, safe='')}")
    assert answer.status == 403


async def test_an_item_of_which_a_part_can_not_be_read_is_withheld(client: Client, log: OneItem) -> None:
    log.stories = None
    answer = await client.get(f"/api/items/{quote(URI, safe='')}")
    assert answer.status == 403
    assert "wiredesk dlq list" in (await answer.json())["error"]["message"]
