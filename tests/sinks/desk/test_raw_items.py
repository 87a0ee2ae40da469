"""The raw item of a story that was too long to be sent whole is given where the story itself may be seen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
from aiohttp.test_utils import TestClient, TestServer
from msgspec.structs import replace

from config.settings import Desk
from processors.model.event import Event, Provenance, WholeEvent
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


@pytest.fixture
async def client(shelf: Shelf) -> AsyncIterator[Client]:
    shelf.put(cut(event(URI), 41), event("urn:whole"), cut(event("urn:gone"), 5))
    shelf.put(cut(event("urn:later", status="withheld", embargo="2999-01-01T00:00:00Z"), 41))

    async def read(topic: str, partition: int, offset: int) -> bytes | None:
        return ITEM if (topic, partition, offset) == ("wire.items.raw.v1", 0, 41) else None

    app = make_app(shelf.search, Feeds(), Desk())
    RawItems(shelf.search, read).add_to(app)
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
        ("urn:whole", "the event of urn:whole is whole"),
        ("urn:gone", "its topic keeps items for its retention"),
        ("urn:later", "no story has the uri urn:later"),
        ("urn:nobody", "no story has the uri urn:nobody"),
    ],
)
async def test_what_is_not_given_is_told_and_an_embargo_is_kept(client: Client, uri: str, words: str) -> None:
    answer = await client.get(f"/api/items/{uri}")
    assert answer.status == 404
    assert words in (await answer.json())["error"]["message"]
