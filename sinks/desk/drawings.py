"""Small pictures of the desk's pages, drawn as SVG: stories by hour, and places on the map of the world.

The map is ``static/world.svg``, whose unit is a tenth of a degree (`streams.generate.world_map`). Every drawing stands
beside the table that it shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

BAR_UNITS: Final = 4  # of the width of an hour, of which one is the gap
PLOT_HEIGHT: Final = 28
UNITS_PER_DEGREE: Final = 10
# What the map shows where it shows all: from Cape Horn to the north of Greenland.
WORLD_VIEW: Final = (-1800, -850, 3600, 1430)
# Of a map that shows a part: narrower, and coasts are too coarse to tell where a town lies.
MIN_VIEW_WIDTH: Final = 300
VIEW_RATIO: Final = 0.5  # height by width
REGION_MARGIN: Final = 1.5  # a part is this much wider than its places are apart
# Of a dot, in thousandths of the map's width: smaller ones can't be hit with a finger, larger ones hide countries.
MIN_DOT: Final = 7.0
MAX_DOT: Final = 26.0


@dataclass(frozen=True, slots=True)
class MapDot:
    """A place on the map, in its units; `title` says what is there, `link` leads to its stories."""

    x: int
    y: int
    radius: float
    title: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class WorldMap:
    """Dots, and the part of the world that shows them: x, y, width, height in units of the map."""

    dots: tuple[MapDot, ...]
    view: tuple[int, int, int, int]

    @property
    def view_box(self) -> str:
        """The part as SVG says it."""
        return " ".join(map(str, self.view))


@dataclass(frozen=True, slots=True)
class MapPlace:
    """A place to draw: degrees WGS 84, and how much it weighs."""

    latitude: float
    longitude: float
    title: str
    weight: float = 1.0
    link: str = ""


def draw_world(places: Iterable[MapPlace]) -> WorldMap:
    """The whole world with dots whose areas are the weights of their places."""
    return _draw_map(list(places), WORLD_VIEW)


def draw_region(places: Iterable[MapPlace]) -> WorldMap:
    """The part of the world that holds the places, with room around it."""
    known = list(places)
    if not known:
        return WorldMap((), WORLD_VIEW)
    xs, ys = [_x(place) for place in known], [_y(place) for place in known]
    left, top, wide, high = WORLD_VIEW
    width = max(
        MIN_VIEW_WIDTH, (max(xs) - min(xs)) * REGION_MARGIN, (max(ys) - min(ys)) * REGION_MARGIN / VIEW_RATIO
    )
    if width * VIEW_RATIO >= high:
        return _draw_map(known, WORLD_VIEW)
    width, height = round(width), round(width * VIEW_RATIO)
    x = min(max((max(xs) + min(xs) - width) // 2, left), left + wide - width)
    y = min(max((max(ys) + min(ys) - height) // 2, top), top + high - height)
    return _draw_map(known, (x, y, width, height))


def _draw_map(places: Sequence[MapPlace], view: tuple[int, int, int, int]) -> WorldMap:
    heaviest = max((place.weight for place in places), default=1.0) or 1.0
    unit = view[2] / 1000
    dots = [
        MapDot(
            _x(place),
            _y(place),
            round(
                unit * max(MIN_DOT, MAX_DOT * sqrt(place.weight / heaviest) if len(places) > 1 else MIN_DOT),
                1,
            ),
            place.title,
            place.link,
        )
        for place in sorted(places, key=lambda place: -place.weight)  # small ones above large ones
    ]
    return WorldMap(tuple(dots), view)


def _x(place: MapPlace) -> int:
    return round(place.longitude * UNITS_PER_DEGREE)


def _y(place: MapPlace) -> int:
    return round(-place.latitude * UNITS_PER_DEGREE)


def draw_bars(counts: Sequence[int]) -> str:
    """The path of bars for counts by hour, as high as `PLOT_HEIGHT` where the count is the highest."""
    highest = max(counts, default=0)
    if not highest:
        return ""
    bars = []
    for number, count in enumerate(counts):
        if count:
            height = max(1, round(PLOT_HEIGHT * count / highest))
            bars.append(f"M{number * BAR_UNITS} {PLOT_HEIGHT}v-{height}h{BAR_UNITS - 1}v{height}z")
    return "".join(bars)
