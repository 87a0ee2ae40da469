"""Reports of one happening, in invented copy of several languages; what must stay apart; and what is remembered."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from config.settings import ClusterSettings
from processors.cluster import Clusterer
from processors.cluster.outline import source_of
from processors.cluster.record import FORMAT_NUMBER, OutlineRecord, pack_record, unpack_record
from processors.model.event import ClusterStanding, Dateline, Event, Language, Lineage, Provenance
from processors.model.story import InfoSource, Story

FERRY = {
    "en": "Ferry sinks off Palermo: 12 people are missing after the Santa Fiora hit a rock near Palermo.",
    "es": "Un ferry se hunde frente a Palermo: 12 personas desaparecidas tras chocar el Santa Fiora con una roca.",
    "fr": "Un ferry coule au large de Palerme : 12 personnes sont portées disparues, le Santa Fiora a heurté un rocher.",
    "de": "Fähre sinkt vor Palermo: 12 Menschen werden vermisst, die Santa Fiora war auf einen Felsen gelaufen.",
    "it": "Un traghetto affonda al largo di Palermo: 12 dispersi, la Santa Fiora ha urtato uno scoglio.",
    "pt": "Balsa afunda perto de Palermo: 12 pessoas desaparecidas depois que o Santa Fiora bateu numa rocha.",
}
OTHERS = (
    ("en", "Central bank of Norway raises its interest rate by half a point, to 4.25 percent, in Oslo."),
    ("es", "El alcalde de Valencia inaugura una biblioteca con 40.000 libros en el barrio marítimo."),
    ("de", "In Leipzig streiken am Montag die Fahrer der Straßenbahn, 300 Züge fallen aus."),
    ("en", "Wildfire near Perth destroys 25 homes and closes the coastal highway, firefighters say."),
)


def report(
    number: int, text: str, language: str = "en", *, at: str = "2026-03-02T09:00:00Z", **changes: Any
) -> Event:
    uri = changes.pop("uri", f"urn:reports:{number}")
    chain = changes.pop("chain", uri)
    return Event(
        Story(uri=uri, version=changes.pop("version", "1"), version_created=at),
        text=text,
        language=Language(language, 0.99),
        lineage=Lineage(chain, "new"),
        provenance=Provenance("2026-04-01T00:00:00Z", "ninjs", source=changes.pop("source", f"s{number}")),
    )


def standings(events: list[Event]) -> list[ClusterStanding]:
    clusterer = Clusterer(ClusterSettings())
    return [clusterer.decide(event).standing for event in events]


def ferries(*, at: str = "2026-03-02T09:30:00Z") -> list[Event]:
    return [report(number, text, language, at=at) for number, (language, text) in enumerate(FERRY.items())]


def test_reports_in_six_languages_are_one_cluster_and_other_news_is_none_of_it() -> None:
    others = [report(100 + number, text, language) for number, (language, text) in enumerate(OTHERS)]
    stands = standings([*others, *ferries()])
    assert len({stand.id for stand in stands[: len(others)]}) == len(others)
    told = stands[len(others) :]
    assert {stand.id for stand in told} == {"urn:reports:0"}
    assert [stand.sequence for stand in told] == [1, 2, 3, 4, 5, 6]
    assert told[-1].sources == 6
    assert told[-1].languages == ("de", "en", "es", "fr", "it", "pt")
    assert told[0].score is None
    assert all(stand.score is not None and stand.score > 0.5 for stand in told[1:])
    assert told[-1].first == "2026-03-02T09:30:00Z"


def test_the_same_kind_of_news_a_week_later_begins_a_cluster_of_its_own() -> None:
    later = ferries(at="2026-03-12T09:30:00Z")
    again = report(50, FERRY["en"].replace("12", "7"), at="2026-03-12T09:30:00Z")
    stands = standings([*ferries(), again])
    assert len({stand.id for stand in stands}) == 2
    assert standings([*ferries(), *later][5:7])[1].sequence == 1


def test_what_is_new_makes_novelty() -> None:
    first = report(1, FERRY["en"])
    same = report(2, FERRY["en"])
    translated = report(3, FERRY["es"], "es")
    more = report(
        4,
        "Ferry off Palermo: divers of the coast guard found 9 bodies in the wreck of the Santa Fiora, and prosecutor "
        "Ilaria Benassi ordered the arrest of captain Goran Vukasin.",
    )
    beginning, repeat, translation, newer = standings([first, same, translated, more])
    assert beginning.novelty == 1
    assert repeat.novelty < 0.05
    assert repeat.novelty < translation.novelty < newer.novelty
    assert newer.id == beginning.id


def test_a_chain_is_in_one_cluster_whatever_its_versions_say() -> None:
    clusterer = Clusterer(ClusterSettings())
    first = clusterer.decide(report(1, FERRY["en"])).standing
    other = clusterer.decide(report(2, OTHERS[0][1])).standing
    version = report(3, OTHERS[0][1], uri="urn:reports:1", version="2")
    assert clusterer.decide(version).standing.id == first.id != other.id


def test_a_story_seen_again_gets_the_answer_of_the_first_time_and_is_remembered_once() -> None:
    clusterer = Clusterer(ClusterSettings())
    clusterer.decide(report(0, FERRY["en"]))
    once = clusterer.decide(report(1, FERRY["fr"], "fr"))
    clusterer.decide(report(2, FERRY["de"], "de"))
    again = clusterer.decide(report(1, FERRY["fr"], "fr"))
    assert again.standing == once.standing
    assert again.memory == b""


def test_restored_from_its_records_it_decides_as_it_would_have() -> None:
    events = [*ferries(), *(report(60 + n, text, language) for n, (language, text) in enumerate(OTHERS))]
    events += [
        report(70 + n, text.replace("12", "14"), language) for n, (language, text) in enumerate(FERRY.items())
    ]
    whole = Clusterer(ClusterSettings())
    decisions = [whole.decide(event) for event in events]
    for cut in range(len(events)):
        restored = Clusterer(ClusterSettings())
        for decision in decisions[:cut]:
            restored.restore(decision.memory)
        assert [restored.decide(event) for event in events[cut:]] == decisions[cut:]


@pytest.mark.parametrize(
    "text",
    ["", "?", "Yes.", "12", "🙂🙂", "ФЫВА", "ⵜⴰⵎⴰⵣⵉⵖⵜ ⵜⴰⵏⴰⵎⵓⵔⵜ", "的", "a" * 100_000, "A B. " * 20_000],
)
def test_copy_that_says_little_stands_alone_or_with_its_like(text: str) -> None:
    stands = standings([*ferries(), report(80, text, "xx"), report(81, OTHERS[2][1], "de")])
    assert stands[-2].id == "urn:reports:80"
    assert stands[-1].id == "urn:reports:81"


def test_thousands_of_reports_of_one_event_keep_to_one_cluster_and_a_bounded_time() -> None:
    clusterer = Clusterer(ClusterSettings())
    texts = list(FERRY.items())
    for number in range(600):
        language, text = texts[number % len(texts)]
        stand = clusterer.decide(report(number, f"{text} {number % 7} boats search.", language)).standing
    assert (stand.id, stand.sequence, stand.sources) == ("urn:reports:0", 600, 600)


def test_the_window_forgets_what_came_a_week_before_the_newest() -> None:
    clusterer = Clusterer(ClusterSettings())
    clusterer.decide(report(1, FERRY["en"], at="2026-03-02T09:00:00Z"))
    for day in range(3, 20):
        clusterer.decide(
            report(day, OTHERS[day % 4][1], OTHERS[day % 4][0], at=f"2026-03-{day:02}T09:00:00Z")
        )
    assert clusterer.decide(report(99, FERRY["fr"], "fr", at="2026-03-19T10:00:00Z")).standing.sequence == 1


def test_a_record_of_another_format_is_passed_over_and_counted() -> None:
    clusterer = Clusterer(ClusterSettings())
    memory = clusterer.decide(report(1, FERRY["en"])).memory
    record = unpack_record(memory)
    assert isinstance(record, OutlineRecord)
    for bad in (pack_record(record)[:-3], b"", b"\xff", memory.replace(bytes([FORMAT_NUMBER]), b"\x7f", 1)):
        clusterer.restore(bad)
    assert clusterer.ignored_records == 4


def test_what_has_left_the_window_has_no_say() -> None:
    settings = ClusterSettings(window_hours=24, max_stories=90)
    texts = [*FERRY.items(), *OTHERS]
    events = [
        report(n, f"{texts[n % 10][1]} {n % 9} boats.", texts[n % 10][0], at=f"2026-03-{2 + n // 40:02}T{n % 24:02}:00:00Z")
        for n in range(400)
    ]  # fmt: skip
    whole = Clusterer(settings)
    decisions = [whole.decide(event) for event in events]
    restored = Clusterer(settings)
    for decision in decisions[120:300]:
        restored.restore(decision.memory)
    assert [restored.decide(event) for event in events[300:]] == decisions[300:]


def test_a_kill_of_two_chains_is_in_the_cluster_of_each() -> None:
    clusterer = Clusterer(ClusterSettings())
    first = clusterer.decide(report(1, FERRY["en"])).standing
    second = clusterer.decide(report(2, OTHERS[1][1], "es")).standing
    kills = [report(3, "KILL: both stories are withdrawn.", chain=chain) for chain in (first.id, second.id)]
    assert [clusterer.decide(kill).standing.id for kill in kills] == [first.id, second.id]
    assert [clusterer.decide(kill).memory for kill in kills] == [b"", b""]


def test_a_story_that_is_run_again_keeps_its_place_whatever_it_reads_like_now() -> None:
    clusterer = Clusterer(ClusterSettings())
    once = clusterer.decide(report(1, FERRY["en"])).standing
    clusterer.decide(report(2, FERRY["es"], "es"))
    again = report(1, OTHERS[0][1])
    provenance = Provenance("2026-04-01T00:00:00Z", "ninjs", source="s1", backfill=True, rerun=True)
    rerun = msgspec.structs.replace(again, provenance=provenance)
    assert clusterer.decide(rerun).standing == once


@pytest.mark.parametrize(
    ("agency", "named", "feed", "source"),
    [
        ("Reuters", "wires of the house", "wires", "reuters"),
        ("AFP", None, "wires", "afp"),
        (None, "The Harbour Times", "wires", "the harbour times"),
        (None, None, "wires", "wires"),
    ],
)
def test_who_tells_a_story_is_the_agency_of_its_dateline_before_the_name_of_its_feed(
    agency: str | None, named: str | None, feed: str, source: str
) -> None:
    story = Story("urn:a", info_sources=(InfoSource(named),) if named else ())
    line = Dateline(0, 4, agency=agency) if agency else None
    provenance = Provenance("2026-04-01T00:00:00Z", "plain-text", feed)
    assert source_of(Event(story, dateline=line, provenance=provenance)) == source
