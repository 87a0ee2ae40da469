"""Datelines: bounds, places on earth, day of the calendar, agency."""

from __future__ import annotations

import pytest

from processors.layout import lay_out
from processors.layout.dateline import read_dateline
from processors.layout.printed import match_dateline
from processors.model.event import Dateline

STORY = "The council voted on Friday to plant four thousand trees along the river, the mayor said."


def read(line: str, *, reference: str | None = "2021-11-24T09:00:00Z", story: str = STORY) -> Dateline:
    text = f"{line} {story}"
    found = read_dateline(
        text, lay_out(text, "en", "Trees"), reference=reference, received="2026-11-22T18:00:00Z"
    )
    assert found is not None, line
    assert text[found.start : found.end] == line
    return found


@pytest.mark.parametrize(
    ("line", "place", "country", "day", "agency"),
    [
        ("WASHINGTON (AP) —", "Washington", "US", None, "AP"),
        ("GROSSETO, Italy (AP) _", "Grosseto", "IT", None, "AP"),
        ("PORTLAND, Ore. (AP) --", "Portland", "US", None, "AP"),
        ("Moscow, Jan 29 (EFE).-", "Moscow", "RU", "2022-01-29", "EFE"),
        ("Moscú, 29 oct (EFE).-", "Moscú", "RU", "2021-10-29", "EFE"),
        ("SAN JOSÉ, 3 nov (EFE).-", "San José", "CR", "2021-11-03", "EFE"),
        ("PARIS, 14 sept 2021 (AFP) -", "Paris", "FR", "2021-09-14", "AFP"),
        ("Genève (ats) -", "Genève", "CH", None, "ATS"),
        ("München (dpa/lby) -", "München", "DE", None, "dpa"),
        ("(ANSA) - ROMA, 05 FEB -", "Roma", "IT", "2022-02-05", "ANSA"),
        ("Lisboa, 21 nov 2021 (Lusa) -", "Lisboa", "PT", "2021-11-21", "Lusa"),
        ("'S-HERTOGENBOSCH (ANP) -", "'s-Hertogenbosch", "NL", None, "ANP"),
        ("GÖTEBORG (TT)", "Göteborg", "SE", None, "TT"),
        ("OSLO (NTB):", "Oslo", "NO", None, "NTB"),
        ("København /ritzau/ -", "København", "DK", None, "Ritzau"),
        ("MOSCOW, January 21. /TASS/.", "Moscow", "RU", "2022-01-21", "TASS"),
        ("LENINGRAD, Nov 21 -", "Leningrad", "RU", "2021-11-21", None),
        ("TORONTO, Nov. 21, 2021 /CNW/ -", "Toronto", "CA", "2021-11-21", "CNW"),
        ("DUBAI, UAE / ACCESSWIRE / November 21, 2021 /", "Dubai", "AE", "2021-11-21", "ACCESSWIRE"),
        ("MADRID, 21 (EUROPA PRESS) -", "Madrid", "ES", "2021-11-21", "Europa Press"),
        ("NEW YROK, Nov 21 -", "New York City", "US", "2021-11-21", None),
        ("LONDON, Novmeber 21 -", "London", "GB", "2021-11-21", None),
        ("HAGATNA, Guam (AP) —", "Hagåtña", "GU", None, "AP"),
        ("HONG KONG, Tuesday (Reuters) -", "Hong Kong", "HK", "2021-11-23", "Reuters"),
        ("SARAJEVO, Bosnia and Herzegovina (AP) —", "Sarajevo", "BA", None, "AP"),
        ("NEW DELHI, Nov 21 (Nordfeed) -", "New Delhi", "IN", "2021-11-21", "Nordfeed"),
    ],
)
def test_a_dateline_tells_place_day_and_agency(
    line: str, place: str, country: str, day: str | None, agency: str | None
) -> None:
    found = read(line)
    assert [(p.name, p.country) for p in found.places][:1] == [(place, country)]
    assert (found.date, found.agency) == (day, agency)


def test_places_have_coordinates_and_geonames_ids() -> None:
    place = read("Moscow, Jan 29 (EFE).-").places[0]
    assert place.geoname_id == 524901
    assert place.latitude == pytest.approx(55.75, abs=0.05)
    assert place.longitude == pytest.approx(37.62, abs=0.05)


def test_two_places_keep_their_order() -> None:
    found = read("WIEN/BERLIN (APA/dpa) -")
    assert [(p.name, p.country) for p in found.places] == [("Wien", "AT"), ("Berlin", "DE")]
    assert found.agency == "APA"


def test_a_dateline_may_lack_its_place() -> None:
    found = read("(Reuters) -")
    assert (found.places, found.agency) == ((), "Reuters")


def test_an_unknown_town_has_the_country_beside_it() -> None:
    place = read("VILLACLARA DEL MONTE, Chile, Nov 21 (AP) —").places[0]
    assert (place.name, place.country, place.geoname_id) == ("Villaclara del Monte", "CL", None)


@pytest.mark.parametrize(
    ("line", "reference", "day"),
    [
        ("LONDON, Dec 31 (Reuters) -", "2022-01-01T00:10:00Z", "2021-12-31"),
        ("LONDON, Jan 1 (Reuters) -", "2021-12-31T23:50:00Z", "2022-01-01"),
        ("BRUSSELS 03/11 (BELGA) =", "2021-11-03T10:00:00Z", "2021-11-03"),
        ("LONDON, Feb 30 (Reuters) -", "2021-02-28T10:00:00Z", None),
    ],
)
def test_a_missing_year_is_the_nearest(line: str, reference: str, day: str | None) -> None:
    assert read(line, reference=reference).date == day


def test_the_copy_tells_the_year_where_the_item_does_not() -> None:
    story = (
        "The council voted Wednesday to plant trees.\n\nThe river in flood in Ashmere, Ohio, 10 January 2025."
    )
    assert read("Ashmere, Jan 29 (EFE).-", reference=None, story=story).date == "2025-01-29"


def test_a_day_of_the_week_alone_tells_the_latest_year() -> None:
    assert read("Ashmere, Jan 29 (EFE).-", reference=None, story="It rained Wednesday.").date == "2025-01-29"


def test_without_a_hint_the_year_is_that_of_receipt() -> None:
    assert read("Ashmere, Nov 20 (EFE).-", reference=None, story="It rained.").date == "2026-11-20"


@pytest.mark.parametrize(
    "words",
    [
        STORY,
        "Smith (L) and Jones - two friends - walked home on March 5.",
        "The group (UN) - founded in 1945 - met on Friday.",
        "He said: “We are ready.”",
        "A man aged 40 – a teacher – was hurt.",
        "",
        "(",
        "Volunteers stack sandbags in Oxbow, Iowa, Sunday, Aug. 18, 2024.",
    ],
)
def test_prose_is_no_dateline(words: str) -> None:
    assert match_dateline(words, 0, len(words)) is None
