"""Draws ``sinks/desk/static/world.svg`` from the package `world-atlas` of npm: coasts and borders of Natural Earth (public domain).

``make worldmap`` fetches the package and runs this. A unit of the drawing is a tenth of a degree, east and south of 0° 0′
(plate carrée), so that a place of longitude x and latitude y is drawn at ``(10 x, -10 y)`` without a table.
"""

from __future__ import annotations

import json
import sys
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
TARGET: Final = ROOT / "sinks" / "desk" / "static" / "world.svg"
# The coarsest of three: 35 kB as drawn here. The next one has seven times as many points for a map of a few hundred pixels.
MEMBER: Final = "package/countries-110m.json"
UNITS_PER_DEGREE: Final = 10
ICE_COUNTRY: Final = "Antarctica"  # fills the foot of the map, where hardly a story comes from
_TURN: Final = 360 * UNITS_PER_DEGREE
MapLine = list[tuple[int, int]]


def main(package: Path) -> None:
    """Draw the map from the packed npm package."""
    with tarfile.open(package) as archive:
        stream = archive.extractfile(MEMBER)
        if stream is None:
            raise SystemExit(f"{package} has no {MEMBER}")
        TARGET.write_text(draw_world(json.load(stream)), "utf-8")


def draw_world(topology: dict[str, Any]) -> str:
    """The drawing of a topology (TopoJSON 1.0) with the object ``countries``."""
    arcs = [list(_decode_arc(arc, topology["transform"])) for arc in topology["arcs"]]
    countries = [
        country
        for country in topology["objects"]["countries"]["geometries"]
        if country["properties"]["name"] != ICE_COUNTRY
    ]
    rings = [ring for country in countries for ring in _rings(country)]
    lines = [line for ring in rings for line in _unwrap(_join(ring, arcs))]
    land = "".join(_draw_line(line, closed=True) for line in lines)
    uses = Counter(arc if arc >= 0 else ~arc for ring in rings for arc in ring)
    borders = "".join(_draw_line(arcs[arc], closed=False) for arc, count in sorted(uses.items()) if count > 1)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1800 -900 3600 1800" width="3600" height="1800">'
        f'<path fill="#8d887d" fill-opacity=".42" d="{land}"/>'
        f'<path fill="none" stroke="#8d887d" stroke-opacity=".8" stroke-width=".8" vector-effect="non-scaling-stroke" d="{borders}"/></svg>\n'
    )


def _decode_arc(arc: Iterable[Sequence[int]], transform: dict[str, Any]) -> Iterator[tuple[int, int]]:
    """The points of an arc, whose numbers are steps from the one before, in units of the drawing; none twice in a row."""
    (wide, high), (left, low) = transform["scale"], transform["translate"]
    x = y = 0
    last = None
    for right, up in arc:
        x, y = x + right, y + up
        point = (
            round((x * wide + left) * UNITS_PER_DEGREE),
            round(-(y * high + low) * UNITS_PER_DEGREE),
        )
        if point != last:
            yield point
        last = point


def _rings(country: dict[str, Any]) -> Iterator[list[int]]:
    polygons = country["arcs"] if country["type"] == "MultiPolygon" else [country["arcs"]]
    for polygon in polygons:
        yield from polygon


def _join(ring: Iterable[int], arcs: Sequence[MapLine]) -> MapLine:
    """The points of a ring of arcs; a number below zero is an arc in the other direction."""
    points: MapLine = []
    for arc in ring:
        line = arcs[arc] if arc >= 0 else arcs[~arc][::-1]
        points += line[1:] if points else line
    return points


def _unwrap(points: MapLine) -> Iterator[MapLine]:
    """A ring without jumps from one edge of the map to the other; what is beyond an edge comes again inside the other."""
    turn, last = 0, points[0][0]
    whole: MapLine = []
    for x, y in points:
        turn += _TURN * ((x - last < -_TURN // 2) - (x - last > _TURN // 2))
        whole.append((x + turn, y))
        last = x
    yield whole
    if max(x for x, _ in whole) > _TURN // 2:
        yield [(x - _TURN, y) for x, y in whole]
    if min(x for x, _ in whole) < -_TURN // 2:
        yield [(x + _TURN, y) for x, y in whole]


def _draw_line(points: MapLine, *, closed: bool) -> str:
    """A path of steps, which are shorter than places."""
    (x, y), *others = points
    parts = [f"M{x} {y}l"]
    for right, down in others[: -1 if closed else None]:
        step = f"{right - x} {down - y}"
        parts.append(step if parts[-1].endswith("l") or step.startswith("-") else f" {step}")
        x, y = right, down
    return "" if len(parts) == 1 else "".join(parts) + ("z" if closed else "")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
