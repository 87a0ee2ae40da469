"""The pictures that came with a story: what they show, whose they are, and their files, if the operator lets us fetch them.

A browser never asks a publisher for a picture: that would tell who reads what, and let a publisher choose what a page
shows later. With ``desk.pictures`` this process fetches the file, once, with the limits of polls, and keeps the latest.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from processors.model.event import Event
from processors.model.story import Rendition, Story
from processors.numbers import parse_int64
from sinks.desk.ports import PictureFetcher
from sinks.search import Stories
from sinks.stories import embargo_end, now_ms

MAX_MEDIA: Final = 50  # of a story that are shown: a gallery has some dozens
MAX_DEPTH: Final = 3  # of items within items: a package holds a story that holds a picture
# Of the files of a picture the smallest that is so wide is taken: narrower ones blur on a page, wider ones cost the line.
MIN_WIDTH: Final = 640  # pixels
CACHE_BYTES: Final = 32 * 1024 * 1024  # in memory: some hundred pictures of a page's size
FAILURE_S: Final = 300.0  # that a picture which could not be had is not asked for again
MAX_FAILURES: Final = 1000  # that are remembered
MAX_FETCHES: Final = 4  # at once: more compete with polls, fewer make a gallery slow
BROWSER_CACHE_S: Final = 3600  # that a browser shows a picture without asking; a kill is on its page at once
# What a browser may show of a stranger, by how it begins. SVG is none of it: it may hold script.
PICTURE_MARKS: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
log = structlog.get_logger("wiredesk.desk")


@dataclass(frozen=True, slots=True)
class MediaItem:
    """A picture, film or sound of a story. `number` is its place among them; `file` its best rendition, if it has any."""

    number: int
    kind: str
    headline: str
    caption: str
    credit: str
    terms: str
    file: Rendition | None
    is_picture: bool  # whether the file is one that an ``img`` may show

    @property
    def link(self) -> str:
        """The address of the file; empty where it has none that a browser should open."""
        href = (self.file and self.file.href) or ""
        return href if _is_web(href) else ""


def list_media(event: Event, now: int) -> list[MediaItem]:
    """What came with a story, in its order, without what is withdrawn or still under embargo; `now` in milliseconds."""
    return [
        _describe(number, story)
        for number, story in zip(range(MAX_MEDIA), _media_of(event.story), strict=False)
        if embargo_end(story) <= now and story.pub_status != "canceled"
    ]


def _media_of(story: Story, depth: int = 0) -> Iterator[Story]:
    if depth == 0 and story.type in {"picture", "graphic"} and story.renditions:
        yield story
    for part in story.associations:
        if part.type not in {"text", "composite", None} or part.renditions:
            yield part
        if depth < MAX_DEPTH:
            yield from _media_of(part, depth + 1)


def _describe(number: int, story: Story) -> MediaItem:
    texts = [text.value for text in story.descriptions if text.role in {"caption", "main", "summary", None}]
    caption = next(iter(texts), "") or next((text.value for text in story.bodies), "")
    files = [file for file in story.renditions if _is_web(file.href or "")]
    shown = [file for file in files if _is_picture(file, story)]
    wide = sorted(
        (file for file in shown if (file.width or 0) >= MIN_WIDTH), key=lambda file: file.width or 0
    )
    widest = max(shown, key=lambda file: file.width or 0, default=None)
    return MediaItem(
        number,
        "picture" if shown else story.type or "file",
        next((text.value for text in story.headlines), "") or story.title or "",
        caption,
        _credit(story),
        story.usage_terms or story.copyright_notice or "",
        next(iter(wide), None) or widest or next(iter(files), None) or next(iter(story.renditions), None),
        is_picture=bool(shown),
    )


def _is_picture(file: Rendition, story: Story) -> bool:
    kind = (file.content_type or "").partition(";")[0].strip().lower()
    if kind:
        return kind.startswith("image/") and kind != "image/svg+xml"
    return story.type in {"picture", "graphic"}


def _credit(story: Story) -> str:
    named = (story.by, *(source.name for source in story.info_sources), story.copyright_holder)
    return " / ".join(dict.fromkeys(name.strip() for name in named if name and name.strip()))


def _is_web(href: str) -> bool:
    try:
        parts = urlsplit(href)
        return parts.scheme.lower() in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def sniff_picture(body: bytes) -> str | None:
    """The media type of a picture by its first bytes; None for what is none that a page may show."""
    for mark, kind in PICTURE_MARKS:
        if body.startswith(mark):
            return kind
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    if body[4:12] in {b"ftypavif", b"ftypavis"}:
        return "image/avif"
    return None


class PictureCache:
    """The latest pictures, up to so many bytes, and what could not be had lately."""

    def __init__(
        self,
        fetcher: PictureFetcher,
        clock: Callable[[], float] = time.monotonic,
        max_bytes: int = CACHE_BYTES,
    ) -> None:
        """`clock` gives seconds."""
        self._fetcher, self._clock, self._max_bytes = fetcher, clock, max_bytes
        self._pictures: OrderedDict[str, tuple[bytes, str]] = OrderedDict()
        self._failures: OrderedDict[str, float] = OrderedDict()
        self._tasks: dict[str, asyncio.Task[tuple[bytes, str] | None]] = {}
        self._slots = asyncio.Semaphore(MAX_FETCHES)
        self._size = 0

    async def get(self, url: str) -> tuple[bytes, str] | None:
        """A picture and its media type; None where it can't be had. Readers who ask at once wait for one fetch."""
        if url in self._pictures:
            self._pictures.move_to_end(url)
            return self._pictures[url]
        if self._failures.get(url, 0.0) > self._clock():
            return None
        if url not in self._tasks:
            task = asyncio.create_task(self._fetch(url), name="picture")
            self._tasks[url] = task
            task.add_done_callback(lambda _: self._tasks.pop(url, None))
        return await asyncio.shield(self._tasks[url])

    async def close(self) -> None:
        """End what is fetched."""
        for task in tuple(self._tasks.values()):
            task.cancel()

    async def _fetch(self, url: str) -> tuple[bytes, str] | None:
        async with self._slots:
            body = await self._fetcher.fetch(url)
        kind = sniff_picture(body) if body is not None else None
        if body is None or kind is None:
            log.info(
                "a picture is not shown", url=url, reason="no picture" if body is not None else "not fetched"
            )
            self._failures[url] = self._clock() + FAILURE_S
            if len(self._failures) > MAX_FAILURES:
                self._failures.popitem(last=False)
            return None
        self._keep(url, (body, kind))
        return body, kind

    def _keep(self, url: str, picture: tuple[bytes, str]) -> None:
        if len(picture[0]) > self._max_bytes:
            return
        self._pictures[url] = picture
        self._size += len(picture[0])
        while self._size > self._max_bytes:
            _, (body, _kind) = self._pictures.popitem(last=False)
            self._size -= len(body)


class Pictures:
    """``/pictures/NUMBER/URI``: a picture of a story, where the story itself may be seen and is not withdrawn."""

    def __init__(self, stories: Stories, cache: PictureCache) -> None:
        """Fetches through the cache."""
        self._stories, self._cache = stories, cache

    def add_to(self, app: web.Application) -> None:
        """Add the address."""
        app.add_routes([web.get(r"/pictures/{number:\d+}/{uri:.+}", self.answer)])

        async def close(_app: web.Application) -> None:
            await self._cache.close()

        app.on_shutdown.append(close)

    async def answer(self, request: web.Request) -> web.Response:
        """The file; 404 where the story is unknown, withdrawn or under embargo, or its publisher gives no picture."""
        stored = await self._stories.get(request.match_info["uri"])
        if stored is None or stored.hidden == "killed":
            raise web.HTTPNotFound
        number = parse_int64(request.match_info["number"])
        media = [
            item for item in list_media(stored.event, now_ms()) if item.number == number and item.is_picture
        ]
        picture = await self._cache.get(media[0].link) if media and media[0].link else None
        if picture is None:
            raise web.HTTPNotFound
        body, kind = picture
        return web.Response(
            body=body,
            content_type=kind,
            headers={
                "Cache-Control": f"private, max-age={BROWSER_CACHE_S}",
                "Content-Disposition": "inline",
                "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"',
            },
        )
