"""What is rising, as a page (``/rising``) and for programs (``/api/rising``)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from aiohttp import web
from msgspec.structs import replace

from processors.media_topics import CODE_PREFIX, media_topics
from processors.model.codec import to_builtins
from processors.model.event import Event
from processors.times import to_timestamp
from sinks.desk.display import mark_message
from sinks.desk.drawings import MapPlace, draw_bars, draw_world
from sinks.desk.operations import Operation, Parameter, json_response
from sinks.desk.queries import BadQuery
from sinks.rising import (
    MAX_RISERS,
    WINDOWS,
    Activity,
    ActivitySpan,
    Riser,
    RisingNews,
    StoryMention,
    WindowHours,
    count_places,
    expect_stories,
    find_risers,
    has_history,
    list_volumes,
    make_volume,
)
from sinks.search import Query, Stories
from sinks.search_words import fold
from sinks.stories import now_ms, subject_names

DEFAULT_WINDOW: Final[WindowHours] = 6
# How long an answer is given again: the counts cost the store half a second where it holds a hundred thousand stories.
MAX_AGE_S: Final = 60.0
MINUTE_MS: Final = 60_000
# Names whose latest stories are looked up beside those that are shown: aliases and agencies are left out again.
SPARE_NAMES: Final = 20
MENTIONS: Final = 3  # latest stories of a name
RenderPage = Callable[..., Awaitable[web.Response]]


class RisingBoard:
    """Counts at most once a minute for each window, whoever asks."""

    def __init__(
        self,
        stories: Stories,
        clock: Callable[[], int] = now_ms,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` gives milliseconds since the epoch, `monotonic` seconds, by which answers age."""
        self._stories, self._clock, self._monotonic = stories, clock, monotonic
        self._answers: dict[WindowHours, tuple[float, RisingNews]] = {}
        self._lock = asyncio.Lock()

    async def find(self, window: WindowHours) -> RisingNews:
        """What rises in the last hours.

        Raises:
            Transient: the store does not answer.
        """
        async with self._lock:
            made, rising = self._answers.get(window, (0.0, None))
            if rising is None or self._monotonic() - made > MAX_AGE_S:
                rising = await self._count(window)
                self._answers[window] = self._monotonic(), rising
            return rising

    async def _count(self, window: WindowHours) -> RisingNews:
        span = ActivitySpan(-(-self._clock() // MINUTE_MS) * MINUTE_MS, window)
        activity = await self._stories.activity(span)
        stories = activity.stories
        names = await self._describe_names(
            activity, find_risers(activity.names, stories, window, MAX_RISERS + SPARE_NAMES)
        )
        topics = find_risers(activity.topics, stories, window) if has_history(stories, window) else []
        total = make_volume("", stories, stories, window)
        return RisingNews(
            since=to_timestamp(span.window_ms),
            until=to_timestamp(span.end_ms),
            window_hours=window,
            has_history=has_history(stories, window),
            stories=replace(total, expected=round(expect_stories(stories, window), 1)),
            feeds=tuple(list_volumes(activity.feeds, stories, window)),
            topics=tuple(
                replace(volume, name=_topic_name(volume.value))
                for volume in list_volumes(_main_topics(activity.topics), stories, window)
            ),
            names=tuple(names),
            rising_topics=tuple(replace(riser, name=_topic_name(riser.value)) for riser in topics),
            places=tuple(count_places(activity.places)),
        )

    async def _describe_names(self, activity: Activity, risers: Sequence[Riser]) -> list[Riser]:
        """The risers as stories write them, with their latest stories; without aliases of others and who made the stories."""
        described: list[Riser] = []
        shown: set[str] = set()
        for riser in risers:
            if riser.value in shown or len(described) == MAX_RISERS:
                continue
            query = Query(entity=riser.value, since=to_timestamp(activity.span.window_ms), limit=MENTIONS)
            hits = (await self._stories.latest(query)).hits
            events = await self._stories.events([hit.uri for hit in hits[:1]])
            if not events or riser.value not in subject_names(events[0]):
                continue
            named = _name_in(events[0], riser.value)
            shown |= named.keys()
            latest = tuple(StoryMention(hit.uri, hit.headline, hit.time) for hit in hits)
            entity = next(
                (e for e in events[0].entities or () if riser.value in {fold(e.name), *map(fold, e.aliases)}),
                None,
            )
            described.append(
                replace(
                    riser,
                    name=named.get(riser.value, riser.name),
                    label=entity and entity.label,
                    latest=latest,
                )
            )
        return described


def _name_in(event: Event, value: str) -> Mapping[str, str]:
    """How the story writes the entity of a name: its main name under each of its names, as they are compared."""
    for entity in event.entities or ():
        names = [fold(name) for name in (entity.name, *entity.aliases)]
        if value in names:
            return dict.fromkeys(names, entity.name)
    return {}


def _main_topics(topics: Mapping[str, Sequence[int]]) -> dict[str, Sequence[int]]:
    """Those of the seventeen that stand above all others."""
    known = media_topics()
    return {
        code: counts
        for code, counts in topics.items()
        if (topic := known.get(code.removeprefix(CODE_PREFIX))) and not topic.parent
    }


def _topic_name(code: str) -> str:
    topic = media_topics().get(code.removeprefix(CODE_PREFIX))
    return topic.name("en") if topic else code


class RisingPages:
    """The handlers of the page and of the API."""

    def __init__(self, stories: Stories, render: RenderPage) -> None:
        """`render` makes a page from the name of its template."""
        self._board, self._render = RisingBoard(stories), render

    def routes(self) -> list[web.RouteDef]:
        """The page's address."""
        return [web.get("/rising", self.page, name="rising")]

    def operations(self) -> list[Operation]:
        """The operation of the API."""
        window = Parameter(
            "window", "Hours to compare with those before.", {"type": "integer", "enum": list(WINDOWS)}
        )
        return [Operation("GET", "/api/rising", self.api, RisingNews, (window,))]

    async def page(self, request: web.Request) -> web.Response:
        """Names and topics that rise, places on a map, and stories an hour by feed and topic."""
        try:
            window = read_window(request.query.get("window"))
        except BadQuery as error:
            return await self._render(
                "error.html", 400, title=mark_message("That can't be searched"), message=str(error)
            )
        rising = await self._board.find(window)
        since = rising.since
        world = draw_world(
            MapPlace(
                place.latitude,
                place.longitude,
                f"{place.name}: {place.count}",
                place.count,
                f"/?{urlencode({'entity': place.name, 'since': since})}",
            )
            for place in rising.places
        )
        return await self._render(
            "rising.html", rising=rising, windows=WINDOWS, world=world, draw_bars=draw_bars, link=_list_link
        )

    async def api(self, request: web.Request) -> web.Response:
        """What the wire brings: stories an hour by feed and topic, names and topics that rise, and the places of datelines."""
        rising = await self._board.find(read_window(request.query.get("window")))
        return await asyncio.to_thread(lambda: json_response(to_builtins(rising)))


def _list_link(name: str, value: str, since: str | None = None) -> str:
    """The address of the list of stories with a filter."""
    return f"/?{urlencode({name: value} | ({'since': since} if since else {}))}"


def read_window(value: str | None) -> WindowHours:
    """The window of a parameter: ``6`` or ``6h``; the default where it is absent.

    Raises:
        BadQuery: there is no such window.
    """
    if value is None:
        return DEFAULT_WINDOW
    for window in WINDOWS:
        if value in {str(window), f"{window}h"}:
            return window
    raise BadQuery(f"window={value}: use one of {', '.join(map(str, WINDOWS))} (hours)")
