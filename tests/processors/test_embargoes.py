"""Until when copy is held back, in the agencies' languages: resolved where it is certain, held back where it is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.signals import Signals, read_signals

FILED = "2026-11-21T10:00:00Z"  # a Saturday


def signals(line: str, dateline: str, language: str = "") -> Signals:
    text = f"{line}\n\n{dateline} The bridge of Ashmere opens to carts."
    return read_signals(headline="", text=text, language=language, reference=FILED)


@pytest.mark.parametrize(
    ("line", "dateline", "until"),
    [
        ("Embargo: 14.30 uur", "UTRECHT (ANP) -", "2026-11-21T13:30:00Z"),
        ("Onder embargo tot vrijdag 06.00 uur", "UTRECHT (ANP) -", "2026-11-27T05:00:00Z"),
        ("Embargo: 18:00 Uhr", "Graz (APA) -", "2026-11-21T17:00:00Z"),
        ("Sperrfrist: 22.11., 6 Uhr", "Bremen (dpa) -", "2026-11-22T05:00:00Z"),
        ("Embargo: 18h00", "BRUXELLES 21/11 (BELGA) =", "2026-11-21T17:00:00Z"),
        ("Embargo hasta las 12:00 horas", "Toledo, 21 nov (EFE).-", "2026-11-21T11:00:00Z"),
        ("EMBARGADO HASTA EL LUNES 23 DE NOVIEMBRE A LAS 18.00", "MADRID, 21 Nov. (EUROPA PRESS) -", "2026-11-23T17:00:00Z"),
        ("Embargo fino alle ore 18", "(ANSA) - ROMA, 21 NOV -", "2026-11-21T17:00:00Z"),
        ("Embargo até às 18h00 de segunda-feira", "Lisboa, 21 nov (Lusa) -", "2026-11-23T18:00:00Z"),
        ("Embargo till kl 05.00", "STOCKHOLM (TT)", "2026-11-22T04:00:00Z"),
        ("Embargo til kl. 12", "OSLO (NTB):", "2026-11-21T11:00:00Z"),
        ("Embargo: 23. november kl. 06.00", "København (Ritzau) -", "2026-11-23T05:00:00Z"),
        ("Embargo: 24/11 06.00 uur", "UTRECHT (ANP) -", "2026-11-24T05:00:00Z"),
        ("Embargo: 22/11 1800 GMT", "LONDON, Nov 21 (Reuters) -", "2026-11-22T18:00:00Z"),
        ("EMBARGOED UNTIL 0001 GMT", "LONDON, Nov 21 (Reuters) -", "2026-11-22T00:01:00Z"),
    ],
)  # fmt: skip
def test_an_hour_without_a_zone_is_the_agencys_at_home(line: str, dateline: str, until: str) -> None:
    assert signals(line, dateline).embargoed_until == until


@pytest.mark.parametrize(
    ("line", "dateline"),
    [
        ("Embargo hasta las 12:00 horas", "Bogotá, 21 nov (EFE).-"),  # filed abroad
        ("Embargo: 18h00", "Paris, 21 nov 2026 (AFP) -"),  # an agency of many zones
        ("Embargo: 14.30", "UTRECHT -"),  # no agency
        ("Embargo: morgen 06.00 uur", "UTRECHT (ANP) -"),  # tomorrow, or the morning
        ("Embargo hasta las 8 de la mañana", "Toledo, 21 nov (EFE).-"),  # tomorrow, or the morning
        ("Embargo: 06.00 uur na de persconferentie", "UTRECHT (ANP) -"),  # words that nobody understood
        ("Embargo: 06.00 uur, tv 12.00 uur", "UTRECHT (ANP) -"),  # two hours
        ("Embargo: 5/12 06.00 uur", "UTRECHT (ANP) -"),  # a day in an unknown order
        ("Embargo: 5/12 1800 GMT", "LONDON, Nov 21 (Reuters) -"),
        ("Embargo: 06.00 uur\nmaandag", "UTRECHT (ANP) -"),  # the day stands on the next line
        ("Embargo: maandag", "UTRECHT (ANP) -"),  # no hour
    ],
)
def test_what_is_uncertain_is_held_back_without_an_end(line: str, dateline: str) -> None:
    found = signals(line, dateline)
    assert (found.embargoed, found.embargoed_until) == (True, None)


@pytest.mark.parametrize(
    "headline",
    [
        "Embargo hits the last baker of Ashmere",
        "Embargo de armas a Oblana se mantiene",
        "Embargado un yate en Ashmere",
        "Tanker with embargoed oil reaches Ashmere",
        "Embargo au blé : les boulangers inquiets",
        "Embargo al petróleo de Oblana",
    ],
)
def test_news_of_embargoes_is_not_held_back(headline: str) -> None:
    text = f"{headline}\n\nASHMERE, Ohio (AP) — {headline}, the council said on Saturday."
    assert not read_signals(headline=headline, text=text, reference=FILED).embargoed


@given(st.integers(0, 23), st.integers(0, 59))
def test_an_hour_without_a_day_is_never_before_the_story(hour: int, minute: int) -> None:
    found = signals(f"Embargo: {hour:02}.{minute:02} uur", "UTRECHT (ANP) -")
    assert found.embargoed_until is not None
    assert FILED <= found.embargoed_until < "2026-11-22T10:00:00Z"


@pytest.mark.parametrize("mark", ["EMBARGOED", "UNDER EMBARGO", "BAJO EMBARGO", "SOUS EMBARGO"])
def test_a_line_that_says_only_that_it_is_embargoed_holds_the_story_back(mark: str) -> None:
    text = f"{mark}\n\nPORT ELLERY (QXN) - The harbour opens on Friday, the council said."
    assert read_signals(headline="Harbour opens", text=text, reference=FILED).embargoed
