"""Shapes on earth as ninjs places hold them: a point, or of anything larger its middle with its bounds.

Our places promise GeoJSON points (RFC 7946, section 3.1.2); lines, boxes and polygons keep their extent as its ``bbox``
(section 5: west, south, east, north; west is the larger where they cross the antimeridian, section 5.2). Feeds write
GeoRSS Simple and GeoRSS GML (OGC 17-002r1), latitude before longitude in degrees of WGS 84, or the W3C's basic geo
vocabulary.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

from processors.model.story import Point
from processors.normalise.xml import local_name

Position = tuple[float, float]  # longitude, latitude in degrees
# A coastline has thousands of positions, and bounds need them all; a hostile shape has millions.
_MAX_POSITIONS: Final = 10_000
# A collection of features with multipolygons needs 7 (RFC 7946, section 3); bombs nest deeper.
_MAX_DEPTH: Final = 8
_NUMBER: Final = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
_BETWEEN: Final = re.compile(r"[\s,;]+")
_METRES_OF_DEGREE: Final = 111_320.0  # of latitude: the equator of WGS 84 (40,075,017 m) by 360
_MAX_RADIUS_METRES: Final = 5e6  # larger circles are half of the earth, or figures in another unit
_GML: Final = ("georss:where", "gml:Point", "gml:LineString", "gml:Polygon", "gml:Envelope")
_NAMES: Final = (  # points before what is larger
    "georss:point", "geo:lat", "geo:Point", *_GML, "georss:circle", "georss:box", "georss:polygon", "georss:line",
)  # fmt: skip


def shape(positions: Sequence[Position]) -> Point | None:
    """The point of one position, or the middle of several; None where there is none, or one is not on earth."""
    looked_at = positions[:_MAX_POSITIONS]
    if not looked_at or not all(
        abs(longitude) <= 180 and abs(latitude) <= 90 for longitude, latitude in looked_at
    ):
        return None
    if len(set(looked_at)) == 1:
        return Point(looked_at[0])
    longitudes, latitudes = zip(*looked_at, strict=True)
    if any(abs(after - before) > 180 for before, after in pairwise(longitudes)):
        east = max(longitude for longitude in longitudes if longitude < 0)
        west = min(longitude for longitude in longitudes if longitude >= 0)
    else:
        west, east = min(longitudes), max(longitudes)
    return box(west, min(latitudes), east, max(latitudes))


def box(west: float, south: float, east: float, north: float) -> Point | None:
    """The middle of a box with its bounds, in degrees; None where it is not on earth."""
    if max(abs(west), abs(east)) > 180 or not -90 <= south <= north <= 90:
        return None
    middle = (west + east + (360 if west > east else 0)) / 2
    middle -= 360 if middle > 180 else 0
    return Point((round(middle, 6), round((south + north) / 2, 6)), bbox=(west, south, east, north))


def point_of_geojson(value: Any) -> Point | None:
    """The place of any GeoJSON object: a geometry, a collection of them, or a feature with one."""
    return shape(list(_positions(value, _MAX_DEPTH)))


def _positions(value: Any, depth: int) -> Iterator[Position]:
    """The positions in a GeoJSON object or in its coordinates, at any depth that the standard has."""
    if isinstance(value, dict):
        for name in ("geometry", "coordinates", "geometries", "features"):
            yield from _positions(value.get(name), depth - 1) if depth else ()
    elif isinstance(value, list) and len(value) > 1 and all(map(_is_number, value[:2])):
        yield float(value[0]), float(value[1])
    elif isinstance(value, list) and depth:
        for member in value[:_MAX_POSITIONS]:
            yield from _positions(member, depth - 1)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def point_of(fields: dict[str, list[Any]]) -> Point | None:
    """Where an entry is, by its child elements under their usual names; None where they don't say."""
    for name in _NAMES:
        for element in fields.get(name, ()):
            if (point := _georss_shape(name, element, fields)) is not None:
                return point
    return None


def _georss_shape(name: str, element: Any, fields: dict[str, list[Any]]) -> Point | None:
    if name in _GML:
        return _gml(element)
    if name == "geo:Point":
        return _basic({f"geo:{local_name(child)}": [child] for child in element})
    if name == "geo:lat":
        return _basic(fields)
    numbers = _numbers(element)
    if name == "georss:box":
        return _box(numbers)
    if name == "georss:circle":
        return _circle(numbers)
    if name == "georss:point":
        numbers = numbers[:2]
    return shape(_pairs(numbers))


def _gml(element: Any) -> Point | None:
    """The shape of a point, line, polygon or envelope of GML (ISO 19136).

    Of a polygon only the outer ring counts, which stands first.
    """
    corners: list[float] = []
    positions: list[Position] = []
    for descendant in element.iter():
        name = local_name(descendant)
        if name == "interior":
            break
        if name in {"lowerCorner", "upperCorner"}:
            corners += _numbers(descendant)[:2]
        elif name == "pos":
            positions += _pairs(_numbers(descendant)[:2])
        elif name in {"posList", "coordinates"}:
            positions += _pairs(_numbers(descendant))
    return _box(corners) if corners else shape(positions)


def _basic(fields: dict[str, list[Any]]) -> Point | None:
    """The point of ``geo:lat`` with ``geo:long`` (W3C Basic Geo, http://www.w3.org/2003/01/geo/wgs84_pos#)."""
    latitude = fields.get("geo:lat", ())
    longitude = fields.get("geo:long") or fields.get("geo:lon") or ()
    numbers = [_numbers(element) for element in (*latitude[:1], *longitude[:1])]
    if [len(values) for values in numbers] != [1, 1]:
        return None
    return shape([(numbers[1][0], numbers[0][0])])


def _box(numbers: list[float]) -> Point | None:
    """The box of a south-west and a north-east corner."""
    if len(numbers) != 4:
        return None
    south, west, north, east = numbers
    return box(west, south, east, north)


def _circle(numbers: list[float]) -> Point | None:
    """The circle of a latitude, a longitude and a radius in metres."""
    if len(numbers) != 3 or not 0 <= numbers[2] < _MAX_RADIUS_METRES:
        return None
    latitude, longitude, radius = numbers
    height = radius / _METRES_OF_DEGREE
    nearness_to_pole = min(89.0, abs(latitude))  # at 90 a degree of longitude has no length
    width = height / max(0.01, math.cos(math.radians(nearness_to_pole)))
    if not radius or width >= 180 or abs(latitude) + height > 90 or abs(longitude) > 180:
        return shape([(longitude, latitude)])
    west, east = (round((degrees + 180) % 360 - 180, 6) for degrees in (longitude - width, longitude + width))
    bounds = box(west, round(latitude - height, 6), east, round(latitude + height, 6))
    return None if bounds is None else Point((longitude, latitude), bbox=bounds.bbox)


def _pairs(numbers: list[float]) -> list[Position]:
    """The positions of numbers that come latitude first; none where their number is odd."""
    if len(numbers) % 2:
        return []
    return list(zip(numbers[1::2], numbers[::2], strict=True))


def _numbers(element: Any) -> list[float]:
    """The numbers of an element; none where anything else stands among them."""
    words = [word for word in _BETWEEN.split("".join(element.itertext())) if word]
    return [float(word) for word in words] if all(map(_NUMBER.fullmatch, words)) else []
