"""Shapes on earth as ninjs places hold them: a point, or of anything larger its middle with its bounds.

Our places promise GeoJSON points (RFC 7946, section 3.1.2); lines, boxes and polygons keep their extent as its ``bbox``
(section 5: west, south, east, north; west is the larger where they cross the antimeridian, section 5.2).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

from processors.model.story import Point

Position = tuple[float, float]  # longitude, latitude in degrees
_MOST: Final = 10_000  # positions of a shape that are looked at
_DEPTH: Final = 8


def shape(positions: Sequence[Position]) -> Point | None:
    """The point of one position, or the middle of several; None where there is none, or one is not on earth."""
    told = positions[:_MOST]
    if not told or not all(abs(longitude) <= 180 and abs(latitude) <= 90 for longitude, latitude in told):
        return None
    if len(set(told)) == 1:
        return Point(told[0])
    longitudes, latitudes = zip(*told, strict=True)
    if any(abs(after - before) > 180 for before, after in pairwise(longitudes)):
        east = max(longitude for longitude in longitudes if longitude < 0)
        west = min(longitude for longitude in longitudes if longitude >= 0)
    else:
        west, east = min(longitudes), max(longitudes)
    return box(west, min(latitudes), east, max(latitudes))


def box(west: float, south: float, east: float, north: float) -> Point | None:
    """The middle of a box with its bounds."""
    if max(abs(west), abs(east)) > 180 or not -90 <= south <= north <= 90:
        return None
    middle = (west + east + (360 if west > east else 0)) / 2
    middle -= 360 if middle > 180 else 0
    return Point((round(middle, 6), round((south + north) / 2, 6)), bbox=(west, south, east, north))


def of_geojson(value: Any) -> Point | None:
    """Any GeoJSON object: a geometry, a collection of them, or a feature with one."""
    return shape(list(_positions(value, _DEPTH)))


def _positions(value: Any, depth: int) -> Iterator[Position]:
    """The positions in a GeoJSON object or in its coordinates, at any depth that the standard has."""
    if isinstance(value, dict):
        for name in ("geometry", "coordinates", "geometries", "features"):
            yield from _positions(value.get(name), depth - 1) if depth else ()
    elif isinstance(value, list) and len(value) > 1 and all(map(_is_number, value[:2])):
        yield float(value[0]), float(value[1])
    elif isinstance(value, list) and depth:
        for each in value[:_MOST]:
            yield from _positions(each, depth - 1)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
