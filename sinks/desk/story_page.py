"""The page of a story and that of a happening: what was told, by whom, where, and how it came here."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from processors.model.event import DateExpression, Entity, Event, Place, Topic
from sinks.desk import markup
from sinks.desk.display import mark_message
from sinks.desk.drawings import MapPlace, WorldMap, draw_region
from sinks.desk.novel_sentences import find_novel_sentences
from sinks.desk.pictures import list_media
from sinks.desk.ports import HandOn
from sinks.desk.rising_page import RenderPage
from sinks.search import Hit, StoredStory, Stories, shown_headline
from sinks.stories import MIN_SUBJECT_RELEVANCE, is_unreached_kill, lineage, now_ms
from sinks.versions import VersionDifference, compare_pair, list_versions, version_key

# Of each kind that the box of facts names: it answers at a glance, and the list of names below has the rest.
MAX_FACTS: Final = 6
# Names, topics, dates … that the page lists: a hostile story has five thousand, and nobody reads past the first screen.
MAX_LISTED: Final = 100
MAX_REPORTS: Final = 12  # of the same happening beside a story; its own page has all
MAX_ADDED_REPORTS: Final = (
    40  # of a happening whose sentences are compared: each is compared with those before it
)
MAX_PLACES: Final = 100  # of the map
MAX_COMPARABLE: Final = 200  # versions and members of a chain in the lists to choose from


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """Who, where, when and what about, most relevant first."""

    who: tuple[Entity, ...]
    where: tuple[Place, ...]
    when: tuple[DateExpression, ...]
    about: tuple[Topic, ...]

    def __bool__(self) -> bool:
        return bool(self.who or self.where or self.when or self.about)


@dataclass(frozen=True, slots=True)
class ComparableVersion:
    """A version that can be laid beside another: `key` is what the address names it by."""

    key: str
    hit: Hit


class StoryPages:
    """The handlers of the pages of stories and clusters."""

    def __init__(
        self, stories: Stories, render: RenderPage, hand_on: HandOn | None, *, shows_pictures: bool
    ) -> None:
        """`render` makes a page from the name of its template; `shows_pictures` is whether the desk fetches them."""
        self._stories, self._render = stories, render
        self._hand_on, self._shows_pictures = hand_on, shows_pictures

    def routes(self) -> list[web.RouteDef]:
        """The addresses."""
        return [
            web.get("/stories/{uri:.+}", self.story, name="story"),
            web.get("/clusters/{cluster:.+}", self.cluster, name="cluster"),
        ]

    async def story(self, request: web.Request) -> web.Response:
        """The page of a story, with its annotations, its chain and the other reports of its happening."""
        uri = request.match_info["uri"]
        stored = await self._stories.get(uri)
        if stored is None:
            message = mark_message(
                "No story has this address. It may be older than the index keeps, or still under embargo."
            )
            return await self._render("error.html", 404, title=mark_message("No such story"), message=message)
        event = stored.event
        members = await self._stories.versions(lineage(event).story)
        kept = await self._stories.kept_versions(uri)
        reports = await self._stories.cluster(event.cluster.id) if event.cluster else ()
        difference = await self._difference(kept, members, request.query.get("old"), request.query.get("new"))
        values = await asyncio.to_thread(_story_values, event)
        return await self._render(
            "story.html",
            stored=stored,
            lineage=lineage(event),
            versions=[hit for hit in members if hit.relation != "duplicate"],
            repeats=[hit for hit in members if hit.relation == "duplicate" and hit.uri != uri],
            kept=list(list_versions(kept)),
            comparable=_list_comparable(kept, members),
            difference=difference,
            asked_keys=(request.query.get("old"), request.query.get("new")),
            reports=_near(reports, uri) if len(reports) > 1 else (),
            report_count=len(reports),
            unreached=is_unreached_kill(event),
            media=list_media(event, now_ms()),
            shows_pictures=self._shows_pictures and stored.hidden != "killed",
            targets=self._hand_on.targets if self._hand_on and not stored.hidden else (),
            handed_to=request.query.get("handed"),
            **values,
        )

    async def cluster(self, request: web.Request) -> web.Response:
        """Who told what of one happening, when, and what of it was new; with ``part=list`` only the reports."""
        name = request.match_info["cluster"]
        hits = await self._stories.cluster(name)
        if not hits:
            message = mark_message(
                "No cluster has this address. Its stories may be older than the index keeps, killed, or under embargo."
            )
            return await self._render(
                "error.html", 404, title=mark_message("No such cluster"), message=message
            )
        if request.query.get("part") == "list":
            return await self._render("_cluster.html", cluster=name, hits=hits, latest=hits[-1].cluster)
        events = await self._stories.events([hit.uri for hit in hits[:MAX_ADDED_REPORTS]])
        added = await asyncio.to_thread(find_novel_sentences, events)
        places = [place for event in events for place in _places(event)]
        return await self._render(
            "cluster.html",
            cluster=name,
            hits=hits,
            latest=hits[-1].cluster,
            added=added,
            sources=_list_sources(hits),
            region=_draw_places(places),
        )

    async def _difference(
        self, kept: Sequence[StoredStory], members: Sequence[Hit], old: str | None, new: str | None
    ) -> VersionDifference | None:
        """How two versions differ: kept ones by their keys, other members of the chain by their uris.

        None where nothing was asked, there are no such two, or one of them is withdrawn: its words are no live text.
        """
        if not (old or new):
            return None
        by_key = {version_key(stored.event): stored for stored in reversed(kept)}
        others = {hit.uri for hit in members} - {kept[0].event.story.uri}

        async def find_side(key: str | None, by_default: int) -> StoredStory | None:
            if key in others:
                return await self._stories.get(key)
            return by_key.get(key) if key else next(iter(kept[by_default : by_default + 1]), None)

        sides = await find_side(old, 1), await find_side(new, 0)
        if sides[0] is None or sides[1] is None or sides[0].hidden or sides[1].hidden:
            return None
        superseded = [stored in kept[1:] for stored in sides]
        return await asyncio.to_thread(
            compare_pair, sides[0], sides[1], is_old_superseded=superseded[0], is_new_superseded=superseded[1]
        )


def _list_comparable(kept: Sequence[StoredStory], members: Sequence[Hit]) -> list[ComparableVersion]:
    """All that can be laid beside each other, oldest first."""
    own = [ComparableVersion(version.key, version) for version in list_versions(kept) if not version.hidden]
    uris = {stored.event.story.uri for stored in kept}
    others = [
        ComparableVersion(hit.uri, hit) for hit in members if hit.uri not in uris and hit.relation != "kill"
    ]
    return sorted([*own, *others], key=lambda one: (one.hit.time, one.hit.sequence))[-MAX_COMPARABLE:]


def _near(reports: Sequence[Hit], uri: str) -> Sequence[Hit]:
    """The first report of a happening, and those around one of them."""
    if len(reports) <= MAX_REPORTS:
        return reports
    at = next((number for number, hit in enumerate(reports) if hit.uri == uri), 0)
    begin = min(max(1, at - MAX_REPORTS // 2), len(reports) - MAX_REPORTS + 1)
    return [reports[0], *reports[begin : begin + MAX_REPORTS - 1]]


def _list_sources(hits: Sequence[Hit]) -> list[tuple[str, str, int]]:
    """Who reported, when first, and how often, in the order of their first reports."""
    sources: dict[str, tuple[str, str, int]] = {}
    for hit in hits:
        name = hit.source or hit.feed or ""
        _, first, count = sources.get(name.casefold(), (name, hit.time, 0))
        sources[name.casefold()] = name, min(first, hit.time), count + 1
    return sorted(sources.values(), key=lambda source: source[1])


def _story_values(event: Event) -> dict[str, Any]:
    """What the template of a story needs besides its place in the chain."""
    title = shown_headline(event)
    counts = Counter(mention.entity for mention in event.mentions or ())
    entities = sorted(
        event.entities or (), key=lambda entity: (-(entity.relevance or 0), -counts[entity.id], entity.name)
    )
    return {
        "event": event,
        "title": title,
        "headline": markup.headline_markup(event, title),
        "blocks": markup.text_blocks(event),
        "entities": entities[:MAX_LISTED],
        "entity_count": len(entities),
        "counts": counts,
        "facts": find_key_facts(event),
        "region": _draw_places(_places(event)),
    }


def find_key_facts(event: Event) -> KeyFacts:
    """What a story is about, at a glance: the most relevant of each kind."""
    entities = sorted(event.entities or (), key=lambda entity: -(entity.relevance or 0))
    subjects = [entity for entity in entities if (entity.relevance or 0) >= MIN_SUBJECT_RELEVANCE]
    who = [entity for entity in subjects if entity.label in {"PER", "ORG"}]
    named = [
        Place(entity.name, entity.place.country if entity.place else None)
        for entity in subjects
        if entity.label == "LOC"
    ]
    where = {
        (place.name or "").casefold(): place
        for place in reversed([*(event.dateline.places if event.dateline else ()), *named])
        if place.name
    }
    when: dict[str, DateExpression] = {}
    for date in event.dates or ():
        if date.type in {"DATE", "TIME"} and date.value[:1].isdigit():
            when.setdefault(date.value, date)
    about = sorted(event.topics or (), key=lambda topic: (-(topic.relevance or 0), -topic.confidence))
    return KeyFacts(
        tuple(who[:MAX_FACTS]),
        tuple(reversed(where.values()))[:MAX_FACTS],
        tuple(when.values())[:MAX_FACTS],
        tuple(about[:MAX_FACTS]),
    )


def _places(event: Event) -> Iterator[Place]:
    """The places of the dateline and the named ones."""
    yield from event.dateline.places if event.dateline else ()
    for entity in event.entities or ():
        if entity.place and entity.label == "LOC":
            place = entity.place
            yield Place(entity.name, place.country, place.latitude, place.longitude)


def _draw_places(places: Iterable[Place]) -> WorldMap | None:
    """The places on a map, each once; None where none can be drawn."""
    points: dict[tuple[float, float], MapPlace] = {}
    for place in places:
        latitude, longitude = place.latitude, place.longitude
        if latitude is None or longitude is None or not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            continue
        if len(points) < MAX_PLACES:
            points.setdefault(
                (latitude, longitude), MapPlace(latitude, longitude, place.name or place.country or "")
            )
    return draw_region(points.values()) if points else None
