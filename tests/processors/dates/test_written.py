"""Dates of feeds are read where they read in one way, and in the zone that they tell."""

from __future__ import annotations

import pytest

from processors.normalise.values import timestamp


@pytest.mark.parametrize(
    ("sent", "instant"),
    [
        # zones, wherever they stand
        ("Thu Jan 22 16:30:05 CET 2026", "2026-01-22T15:30:05Z"),
        ("Thu Jan 22 16:30:05 2026", "2026-01-22T16:30:05Z"),
        ("22 Jan 16:30:05 HKT 2026", "2026-01-22T08:30:05Z"),
        ("Thu Jan 22 2026 16:30:05 GMT+0100 (Central European Standard Time)", "2026-01-22T15:30:05Z"),
        ("Thu, 22 Jan 2026 16:30:00 GMT+2", "2026-01-22T14:30:00Z"),
        ("Thu, 22 Jan 2026 16:30:00 UTC-03:30", "2026-01-22T20:00:00Z"),
        ("Thu, 22 Jan 2026 16:30:00 +2", "2026-01-22T14:30:00Z"),
        ("Thu, 22 Jan 2026 16:30:00 -5", "2026-01-22T21:30:00Z"),
        ("Thu, 22 Jan 2026 16:30:00 +5:30", "2026-01-22T11:00:00Z"),
        ("Thu, 22 Jan 2026 16:30:00 \u22125", "2026-01-22T21:30:00Z"),
        ("Thu, 22 Jan 2026 16:30:00 +14:00", "2026-01-22T02:30:00Z"),
        ("Thu, 22 Jan 2026 16:30:00 (EET)", "2026-01-22T14:30:00Z"),
        ("Thu, 22 Jan 2026 16:30:00 +0200 (EET)", "2026-01-22T14:30:00Z"),
        ("Thu, 22 Jan 2026 16:30:00 NZDT", "2026-01-22T03:30:00Z"),
        ("Wed, 22 Jul 2026 16:30:00 Europe/Madrid", "2026-07-22T14:30:00Z"),
        ("22 Jul 2026 16:30 America/Argentina/Salta", "2026-07-22T19:30:00Z"),
        ("2026-07-22T16:30:00[Asia/Kolkata]", "2026-07-22T11:00:00Z"),
        ("2026-07-22T16:30:00 EDT", "2026-07-22T20:30:00Z"),
        ("Thu, 22 Jan 2026 16:30:00 -0000", "2026-01-22T16:30:00Z"),
        # the year first
        ("2026/1/22 16:30:05", "2026-01-22T16:30:05Z"),
        ("2026/01/22 16:30:05 +0900", "2026-01-22T07:30:05Z"),
        ("2026-1-2", "2026-01-02T00:00:00Z"),
        ("2026.01.22 4:30 PM", "2026-01-22T16:30:00Z"),
        ("2026年1月22日 16:30", "2026-01-22T16:30:00Z"),
        ("2026년 1월 22일 오후 4:30:05", "2026-01-22T16:30:05Z"),
        ("2026. január 22. 16:30", "2026-01-22T16:30:00Z"),
        ("2026-Jan-22", "2026-01-22T00:00:00Z"),
        # words of other languages
        ("quinta-feira, 22 de janeiro de 2026 16:30", "2026-01-22T16:30:00Z"),
        ("22 d’abril de 2026", "2026-04-22T00:00:00Z"),
        ("22. Jänner 2026, 16.30 Uhr", "2026-01-22T16:30:00Z"),
        ("22 janvier 2026 à 16h30", "2026-01-22T16:30:00Z"),
        ("to 22.1.2026 klo 16.30", "2026-01-22T16:30:00Z"),
        ("22 Ocak 2026 Perşembe, 16:30", "2026-01-22T16:30:00Z"),
        ("Πέμ, 22 Ιαν 2026 16:30:00 EET", "2026-01-22T14:30:00Z"),
        ("to 13 marraskuu 2025", "2025-11-13T00:00:00Z"),
        # digits that read in one way
        ("22/01/2026 16:30", "2026-01-22T16:30:00Z"),
        ("01/22/2026", "2026-01-22T00:00:00Z"),
        # the ends of the calendar
        ("Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00Z"),
        ("Thu, 31 Dec 2099 23:59:60 GMT", "2099-12-31T23:59:59Z"),
        ("Thu, 22 Jan 2026 24:00:00 GMT", "2026-01-23T00:00:00Z"),
    ],
)
def test_a_date_is_the_instant_that_it_tells(sent: str, instant: str) -> None:
    assert timestamp(sent) == instant


@pytest.mark.parametrize(
    "sent",
    [
        "Thu, 22 Jan 2026 16:30:00 QQT",
        "Thu, 22 Jan 2026 16:30:00 Europe/Atlantis",
        "Thu, 22 Jan 2026 16:30:00 +25:00",
        "Thu, 22 Jan 2026 16:30:00 +15",
        "Thu, 22 Jan 2026 16:30:00 (QQT)",
        "Thu, 22 Jan 2026 16:30:00 M",
        "Thu, 22 Jan 2026 16:30:00 IST",
        "Thu, 22 Jan 2026 16:30:00 AST",
        "Thu Jan 22 16:30:00 Pacific Standard Time 2026",
        "2026-01-22T16:30:00 QQT",
        "01/02/2026",
        "2026-02-30",
        "22 Brumaire 2026",
        "Thu, 22 Jan 2026 25:30:00 GMT",
    ],
)
def test_a_date_that_nobody_can_place_is_absent(sent: str) -> None:
    assert timestamp(sent) is None


@pytest.mark.parametrize(
    ("zone", "language", "hour"),
    [
        ("IST", "en-IN", 11), ("IST", "hi", 11), ("IST", "he", 14), ("IST", "en-IE", 15),
        ("CST", None, 22), ("CST", "en", 22), ("CST", "zh-CN", 8), ("CST", "zh", 8), ("CST", "es-CU", 21),
        ("BST", None, 15), ("BST", "bn-BD", 10), ("AST", "ar", 13), ("AST", "en-CA", 20),
        ("EST", "en-AU", 6), ("PST", "en-PH", 8), ("GST", "en-AE", 12),
    ],
)  # fmt: skip
def test_the_feeds_country_decides_between_zones_of_one_name(
    zone: str, language: str | None, hour: int
) -> None:
    assert (
        timestamp(f"Thu, 22 Jan 2026 16:30:00 {zone}", None, language)
        == f"2026-01-22T{hour:02}:{0 if zone == 'IST' and hour == 11 else 30:02}:00Z"
    )


def test_a_name_that_the_feeds_own_zone_has_is_that_zone() -> None:
    assert timestamp("Wed, 22 Jul 2026 16:30:00 IST", "Europe/Dublin") == "2026-07-22T15:30:00Z"
    assert timestamp("Wed, 22 Jul 2026 16:30:00 IST", "Asia/Kolkata") == "2026-07-22T11:00:00Z"
    assert timestamp("Wed, 22 Jul 2026 16:30:00", "Asia/Kolkata") == "2026-07-22T11:00:00Z"
