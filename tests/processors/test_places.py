"""Places by name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.places import candidates, gazetteer, key_of


@pytest.mark.parametrize(
    ("name", "country"),
    [
        ("Moscow", "RU"), ("MOSCÚ", "RU"), ("Moskau", "RU"), ("Köln", "DE"), ("Colonia", "DE"), ("The Hague", "NL"),
        ("La Haya", "NL"), ("Kiev", "UA"), ("KYIV", "UA"), ("Leningrad", "RU"), ("Bombay", "IN"), ("Saigon", "VN"),
        ("Washington", "US"), ("New York", "US"), ("San José", "CR"), ("Philadelphia", "US"), ("La Paz", "BO"),
        ("Georgia", "GE"), ("Soviet Union", "RU"), ("Zaire", "CD"), ("Rusia", "RU"), ("Allemagne", "DE"),
        ("Calif.", "US"), ("Ont.", "CA"), ("Scotland", "GB"), ("Hong Kong", "HK"), ("Guam", "GU"), ("Gaza", "PS"),
        ("East Berlin", "DE"), ("United Nations", "US"), ("Ciudad del Vaticano", "VA"), ("St. Louis", "US"),
    ],
)  # fmt: skip
def test_the_likeliest_place_of_a_name(name: str, country: str) -> None:
    place = gazetteer().find(name)
    assert place is not None
    assert place.country == country


@pytest.mark.parametrize(
    ("name", "region", "country", "near"),
    [
        ("Paris", "Texas", "US", (33.7, -95.6)),
        ("Paris", "Tex.", "US", (33.7, -95.6)),
        ("Birmingham", "Ala.", "US", (33.5, -86.8)),
        ("Portland", "Maine", "US", (43.7, -70.3)),
        ("Portland", "OR", "US", (45.5, -122.7)),
        ("Córdoba", "España", "ES", (37.9, -4.8)),
        ("Valencia", "Venezuela", "VE", (10.2, -68.0)),
    ],
)
def test_what_stands_beside_a_name_decides(
    name: str, region: str, country: str, near: tuple[float, float]
) -> None:
    place = gazetteer().find(name, region)
    assert place is not None
    assert place.country == country
    assert place.latitude == pytest.approx(near[0], abs=0.3)
    assert place.longitude == pytest.approx(near[1], abs=0.3)


def test_a_region_that_does_not_hold_the_place_finds_none() -> None:
    assert gazetteer().find("Grosseto", "Iowa") is None


def test_candidates_come_likeliest_first() -> None:
    found = candidates("Santiago")
    assert found[0].country == "CL"
    assert found[0].capital
    assert len({c.country for c in found}) > 2


def test_misprints_of_large_cities_are_told() -> None:
    assert [c.name for c in gazetteer().misprinted("WASINGTON")][:1] == ["Washington"]
    assert gazetteer().misprinted("Qwrtzx") == ()


@pytest.mark.parametrize("name", ["", " ", "Verkhnyaya Nowhere", "\x00", "مدينة خيالية"])
def test_unknown_names_find_nothing(name: str) -> None:
    assert gazetteer().find(name) is None
    assert candidates(name) == ()


@given(st.text())
def test_keys_are_stable(name: str) -> None:
    assert key_of(key_of(name)) == key_of(name)


@pytest.mark.parametrize(
    ("country", "latitude", "longitude"),
    [("United States", 38.9, -77.0), ("India", 28.6, 77.2), ("Mongolia", 47.9, 106.9), ("Costa Rica", 9.9, -84.1),
     ("Antarctica", -90.0, 0.0)],
)  # fmt: skip
def test_a_country_is_pinned_in_its_capital(country: str, latitude: float, longitude: float) -> None:
    place = gazetteer().find(country)
    assert place
    assert place.latitude == pytest.approx(latitude, abs=0.2)
    assert place.longitude == pytest.approx(longitude, abs=0.2)


def test_only_the_capital_among_towns_of_its_name_is_one() -> None:
    capitals = [each for each in candidates("Washington") if each.capital]
    assert [(each.geoname_id, each.region) for each in capitals] == [(4140963, "DC")]


def test_every_country_and_every_american_state_has_coordinates() -> None:
    states = gazetteer().states().values()
    assert [state.name for state in states if state.latitude is None] == []
    countries = [gazetteer().find(name) for name in ("Palau", "Tokelau", "Bouvet Island")]
    assert [place for place in countries if place is None or place.latitude is None] == []


def test_a_state_is_pinned_in_itself() -> None:
    texas = gazetteer().states()["TX"]
    assert 25.8 < (texas.latitude or 0) < 36.5
    assert -106.6 < (texas.longitude or 0) < -93.5
