"""What stories say of themselves, by agency; all examples are invented."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.signals import NO_SIGNALS, Signals, read_signals

COPY = "The harbour council of Port Ellery voted on Tuesday to allow a night ferry to Gannet Island. " * 12


@pytest.mark.parametrize(
    ("headline", "sequence"),
    [
        ("UPDATE 2-Solvane lifts its forecast", 2),
        ("WRAPUP 3-Storm cuts power across Oblana", 3),
        ("(2nd LD) Ferry talks resume", 2),
        ("(LEAD) Ferry talks resume", 1),
        ("LEAD: Fire at Norrvik shipyard", 1),
        ("3RD LD: Fire at Norrvik shipyard", 3),
        ("Norrvik markets close lower (UPDATE 2)", 2),
        ("2. Zusammenfassung: Zug bei Marsanne entgleist", 2),
        ("(3보) 노르비크 지진", 3),
        ("(Actualiza con cifras) Sube el pan en Valbrune", None),
        ("UPDATE: Fire at Norrvik shipyard", None),
        ("【更新】港の火災", None),
        ("ОБНОВЛЕНИЕ: пожар в порту", None),
    ],
)
def test_headlines_tell_an_update_and_its_number(headline: str, sequence: int | None) -> None:
    signals = read_signals(headline=headline, text=COPY)
    assert (signals.relation, signals.sequence) == ("update", sequence)


@pytest.mark.parametrize(
    ("slugline", "relation", "sequence"),
    [
        ("BC-US--Dam Inspection, 2nd Ld-Writethru,0214", "update", 2),
        ("BC-US--Dam Inspection-Kill,0040", "kill", None),
        ("BC-US--Dam Inspection,CORRECTION,0040", "correction", None),
        ("OBLANA-FERRY/RECASTS", "update", None),
        ("BC-US--Dam Inspection,0214", None, None),
    ],
)
def test_slug_lines_tell_versions(slugline: str, relation: str | None, sequence: int | None) -> None:
    signals = read_signals(headline="Inspectors find cracks", slugline=slugline, text=COPY)
    assert (signals.relation, signals.sequence) == (relation, sequence)


@pytest.mark.parametrize(
    "head",
    [
        "== Corrects number of passengers in lede ==",
        "(Corrects paragraph 2 to say revenue rose, not fell)",
        "(Corrige el nombre del alcalde en el segundo párrafo)",
        "(Rectifie le nombre de blessés)",
        "Berichtigung: Im zweiten Absatz wurde die Zahl geändert",
        "Rättelse: fel namn i första stycket",
        "【訂正】第2段落の数字",
        "تصحيح: عدد الركاب",
    ],
)
def test_notes_above_the_copy_tell_a_correction(head: str) -> None:
    assert read_signals(headline="", text=f"{head}\n\n{COPY}").relation == "correction"


@pytest.mark.parametrize(
    "headline",
    ["CORRECTED-Solvane profit rises 8%", "REFILE-Solvane profit rises 8%", "SOLVANE YEAR NET - CORRECTION"],
)
def test_headlines_tell_a_correction(headline: str) -> None:
    assert read_signals(headline=headline, text=COPY).relation == "correction"


@pytest.mark.parametrize(
    ("headline", "text"),
    [
        ("MANDATORY KILL: Ferry", ""),
        ("KILL-Solvane profit rises", ""),
        ("ANULACIÓN: Sube el pan", ""),
        ("", "(Anula la información sobre el pan por un error)\n\nValbrune"),
        ("", "Die Meldung über den Zug wird hiermit zurückgezogen."),
        ("", "Attention editors: please kill the story headlined “Ferry sinks off Gannet”."),
        ("【取り消し】港の火災", ""),
    ],
)
def test_a_kill_is_told_in_many_languages(headline: str, text: str) -> None:
    assert read_signals(headline=headline, text=text).relation == "kill"


@pytest.mark.parametrize(
    "headline",
    [
        "Kill Devil Falls braces for a storm",
        "Police kill two in raid on warehouse",
        "Anula el tribunal la sentencia del alcalde",
        "Corrige el ministro su discurso",
        "Update on the harbour: ships sail again",
        "Lead poisoning found in Norrvik school",
        "Urgent talks on grain resume",
        "Oil embargo on Oblana hurts ports",
        "Correct answers win a car in Valbrune",
        "Flash floods hit Marsanne",
        "Alert driver saves bus",
        "Editors meet in Norrvik",
    ],
)
def test_ordinary_headlines_tell_nothing(headline: str) -> None:
    assert read_signals(headline=headline, text=COPY) == NO_SIGNALS


@pytest.mark.parametrize(
    ("headline", "urgency"),
    [
        ("FLASH: Quake off Norrvik", 1),
        ("Eil: Kanzlerin tritt zurück", 2),
        ("ALERT: Quake off Norrvik", 2),
        ("BULLETIN: Quake off Norrvik", 2),
        ("URGENT: Quake off Norrvik", 3),
        ("URGENTE Dimite el alcalde de Valbrune", 3),
        ("速報：港で火災", 3),
        ("عاجل: حريق في الميناء", 3),
    ],
)
def test_priority_words_are_urgencies(headline: str, urgency: int) -> None:
    assert read_signals(headline=headline, text=COPY).urgency == urgency


def test_the_most_urgent_and_the_strongest_win() -> None:
    signals = read_signals(
        headline="URGENT: UPDATE 2-Ferry sinks", ed_note="Corrects the number of dead. FLASH"
    )
    assert signals.relation == "correction"
    assert signals.urgency == 3


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (
            "In PORT ELLERY story headlined “Council votes for a night ferry”, please read 5-2 instead of 4-3.",
            "Council votes for a night ferry",
        ),
        (
            'In item headlined "SOLVANE CORP YEAR NET" please read per share 1.33 dlrs vs 1.23.',
            "SOLVANE CORP YEAR NET",
        ),
        ("(Corrige en la noticia titulada «Sube el pan en Valbrune» la cifra)", "Sube el pan en Valbrune"),
    ],
)
def test_an_advisory_names_its_story(text: str, name: str) -> None:
    signals = read_signals(headline="", text=text)
    assert (signals.relation, signals.names) == ("correction", name)


def test_a_story_that_mentions_a_headline_is_no_advisory() -> None:
    text = "NORRVIK (AP) — The daily ran a story headlined “Mayor quits over ferry”, readers said on Monday."
    assert read_signals(headline="Readers complain", text=text) == NO_SIGNALS


@pytest.mark.parametrize(
    ("note", "language", "until"),
    [
        ("EMBARGOED UNTIL 0001 GMT Monday", "en", "2026-01-05T00:01:00Z"),
        ("Embargoed until 10 am ET on 4 May 2026", "en", "2026-05-04T14:00:00Z"),
        ("Sperrfrist: 12. März 2026, 10.00 Uhr", "de", "2026-03-12T09:00:00Z"),
        ("Embargo: 2026-02-01T06:00:00+01:00", "en", "2026-02-01T05:00:00Z"),
        ("Embargoed until 00:01 GMT", "en", "2026-01-03T00:01:00Z"),
        ("NOT FOR PUBLICATION BEFORE 6 p.m. GMT January 9", "en", "2026-01-09T18:00:00Z"),
        ("Embargo jusqu'au 3 mars 2026 à 10h00 GMT", "fr", "2026-03-03T10:00:00Z"),
        ("EMBARGOED UNTIL 0001 GMT 3/4/2026", "en-US", "2026-03-04T00:01:00Z"),
    ],
)
def test_an_embargo_is_resolved_by_the_items_own_date(note: str, language: str, until: str) -> None:
    signals = read_signals(
        headline="Report", ed_note=note, language=language, reference="2026-01-02T10:00:00Z"
    )
    assert signals.embargoed
    assert signals.embargoed_until == until


@pytest.mark.parametrize(
    "note",
    ["EMBARGOED", "Embargoed until delivery", "Embargoed until 31/31/2026 GMT", "Embargoed until Monday"],
)
def test_an_embargo_without_a_time_or_zone_is_told_without_an_end(note: str) -> None:
    signals = read_signals(headline="Report", ed_note=note, reference="2026-01-02T10:00:00Z")
    assert (signals.embargoed, signals.embargoed_until) == (True, None)


def test_weekdays_need_a_reference() -> None:
    signals = read_signals(headline="", ed_note="EMBARGOED UNTIL 0001 GMT Monday")
    assert (signals.embargoed, signals.embargoed_until) == (True, None)


@given(st.text(max_size=300), st.text(max_size=60), st.text(max_size=60), st.text(max_size=600))
def test_any_text_reads(headline: str, slugline: str, note: str, text: str) -> None:
    signals = read_signals(headline=headline, slugline=slugline, ed_note=note, text=text)
    assert isinstance(signals, Signals)
    assert signals.urgency is None or 1 <= signals.urgency <= 9


def test_only_the_head_of_a_long_text_is_read() -> None:
    late = COPY + "\n\nCORRECTION: five, not four"
    assert read_signals(headline="", text=late) == NO_SIGNALS
    started = time.process_time()
    for _ in range(200):
        read_signals(headline="Council votes", text=COPY * 1000)
    assert (
        time.process_time() - started
    ) / 200 < 0.02  # some 2 ms; the whole text took a hundred times as long


def test_the_highest_number_of_two_places_is_the_sequence() -> None:
    signals = read_signals(headline="UPDATE 2-Solvane lifts forecast", slugline="SOLVANE-4th Ld", text=COPY)
    assert (signals.relation, signals.sequence) == ("update", 4)
