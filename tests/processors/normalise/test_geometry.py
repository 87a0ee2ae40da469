"""Shapes larger than a point keep their middle and their bounds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.normalise.geometry import point_of_geojson, shape
from tests.processors.normalise.samples import one
from tests.processors.normalise.test_feeds import NAMESPACED

BOUNDS = (-71.5, 45.5, -70.5, 46.5)  # west, south, east, north
DEGREES = st.tuples(st.floats(-180, 180), st.floats(-90, 90))


@pytest.mark.parametrize(
    "inside",
    [
        "<georss:box>45.5 -71.5 46.5 -70.5</georss:box>",
        "<georss:box>45.5,-71.5 46.5,-70.5</georss:box>",
        "<georss:polygon>45.5 -71.5 46.5 -71.5 46.5 -70.5 45.5 -71.5</georss:polygon>",
        "<georss:line>45.5 -71.5 46.0 -71.0\n 46.5 -70.5</georss:line>",
        (
            "<georss:where><gml:Envelope><gml:lowerCorner>45.5 -71.5</gml:lowerCorner>"
            "<gml:upperCorner>46.5 -70.5</gml:upperCorner></gml:Envelope></georss:where>"
        ),
        (
            "<georss:where><gml:Polygon><gml:exterior><gml:LinearRing><gml:posList>45.5 -71.5 46.5 -71.5 46.5 -70.5 45.5 -71.5"
            "</gml:posList></gml:LinearRing></gml:exterior><gml:interior><gml:LinearRing><gml:posList>1 1 2 2 1 1</gml:posList>"
            "</gml:LinearRing></gml:interior></gml:Polygon></georss:where>"
        ),
        "<georss:where><gml:LineString><gml:posList>45.5 -71.5 46.5 -70.5</gml:posList></gml:LineString></georss:where>",
    ],
)
def test_a_shape_of_georss_is_its_middle_with_its_bounds(inside: str) -> None:
    (place,) = one(NAMESPACED.format(inside)).story.places
    assert place.geo_json is not None
    assert (place.geo_json.coordinates, place.geo_json.bbox) == ((-71.0, 46.0), BOUNDS)


def test_a_circle_keeps_its_middle_and_reaches_as_far_as_its_radius() -> None:
    (place,) = one(NAMESPACED.format("<georss:circle>0 10 111320</georss:circle>")).story.places
    assert place.geo_json is not None
    assert (place.geo_json.coordinates, place.geo_json.bbox) == ((10.0, 0.0), (9.0, -1.0, 11.0, 1.0))


def test_a_point_is_preferred_to_what_is_around_it() -> None:
    inside = "<georss:box>40 -80 50 -70</georss:box><georss:point>45.5 -71.5</georss:point>"
    (place,) = one(NAMESPACED.format(inside)).story.places
    assert place.geo_json is not None
    assert (place.geo_json.coordinates, place.geo_json.bbox) == ((-71.5, 45.5), None)


@pytest.mark.parametrize(
    "inside",
    [
        "<georss:box>45.5 -71.5 46.5</georss:box>",
        "<georss:box>46.5 -71.5 45.5 -70.5</georss:box>",
        "<georss:polygon>45.5 -71.5 north</georss:polygon>",
        "<georss:point>95 -71.5</georss:point>",
        "<georss:point>45.5</georss:point>",
        "<georss:line/>",
        "<georss:circle>95 10 5</georss:circle>",
        "<geo:lat>45.5</geo:lat>",
    ],
)
def test_what_is_not_on_earth_is_no_place(inside: str) -> None:
    assert one(NAMESPACED.format(inside)).story.places == ()


@pytest.mark.parametrize(
    "sent",
    [
        {"type": "Polygon", "coordinates": [[[-71.5, 45.5], [-70.5, 46.5], [-71.5, 46.5], [-71.5, 45.5]]]},
        {"type": "LineString", "coordinates": [[-71.5, 45.5], [-70.5, 46.5, 12]]},
        {"type": "MultiPoint", "coordinates": [[-71.5, 45.5], [-70.5, 46.5]]},
        {"type": "MultiPolygon", "coordinates": [[[[-71.5, 45.5], [-70.5, 46.5], [-71.5, 45.5]]]]},
        {"type": "Feature", "geometry": {"type": "LineString", "coordinates": [[-71.5, 45.5], [-70.5, 46.5]]}},
        {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": place} for place in ([-71.5, 45.5], [-70.5, 46.5])]},
    ],
)  # fmt: skip
def test_a_shape_of_geojson_is_its_middle_with_its_bounds(sent: dict[str, Any]) -> None:
    event = point_of_geojson(sent)
    assert event is not None
    assert (event.coordinates, event.bbox) == ((-71.0, 46.0), BOUNDS)


def test_a_shape_across_the_antimeridian_has_its_middle_there() -> None:
    point = shape([(178.0, -18.0), (-178.0, -16.0)])
    assert point is not None
    assert (point.coordinates, point.bbox) == ((180.0, -17.0), (178.0, -18.0, -178.0, -16.0))


@given(st.lists(DEGREES, min_size=1, max_size=6))
def test_the_middle_of_any_shape_is_on_earth(positions: list[tuple[float, float]]) -> None:
    point = shape(positions)
    assert point is not None
    longitude, latitude = point.coordinates
    assert abs(longitude) <= 180
    assert abs(latitude) <= 90


@given(
    st.recursive(
        st.none() | st.floats() | st.text(max_size=3),
        lambda degrees: st.lists(degrees, max_size=4),
        max_leaves=20,
    )
)
def test_any_coordinates_make_a_shape_or_none(sent: Any) -> None:
    point = point_of_geojson({"type": "Polygon", "coordinates": sent})
    assert point is None or abs(point.coordinates[0]) <= 180
