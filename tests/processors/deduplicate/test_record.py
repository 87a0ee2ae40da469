"""Records are read as they were written, by version 0.1 too: installations restore what it left."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from msgspec.structs import replace

from config.settings import Deduplicate
from processors.deduplicate import Deduplicator
from processors.deduplicate.record import (
    HEAD_CODES,
    MAX_RECORD_KEYS,
    MAX_REPORT_CHARS,
    RecordView,
    upgrade_record,
)
from processors.deduplicate.rows import read_rows, read_sample, read_sample_size, read_window_time
from processors.deduplicate.standing import strip_standing_matter
from processors.model.event import Event
from processors.model.story import AltId
from tests.processors.deduplicate.stories import event, report

GOLDEN = Path(__file__).parent / "golden" / "records-0.1.txt"  # one in hexadecimal digits a line


def stories() -> list[Event]:
    """Stories that find their parents in every way, and texts of every kind."""
    ferry, quay = "Council of Port Ellery votes for a night ferry", "Mayor of Norrvik resigns at the quay"
    japanese = "港町のかもめ市議会は火曜日、島とを結ぶ夜間の渡し船を五対二の賛成多数で可決した。"
    kill = f"Attention editors: please kill the story headlined “{ferry.upper()}”. A substitute follows."
    guid = AltId("urn:guid:7", "guid")
    undated = event("undated", report(8, 2), "Bakery opens", dated=False)
    return [
        event("a", report(1, 3), ferry, alt_ids=(guid,)),
        event("b", report(1, 3), ferry, hours=1),
        event("a", report(1, 4), ferry, version="2", hours=2),
        event("a", report(1, 3) + " Later.", ferry, version="1.5", hours=3),
        event("linked", report(2, 2), quay, hours=4, alt_ids=(AltId("urn:guid:7", "derivedFrom"),)),
        event("cut", "\n\n".join(report(1, 4).split("\n\n")[:2]), "Night ferry", hours=5),
        event("changed", report(1, 3).replace("0", "7"), ferry, hours=6),
        event("mended", report(1, 3) + " It is blue.", f"CORRECTED-{ferry}", hours=7),
        event("killed", kill, "ADVISORY", hours=8),
        event("killed", "", version="2", status="canceled", hours=9),
        event("long", report(3, 40), "Forty sentences on the harbour", hours=10),
        event("long-cut", "\n\n".join(report(3, 40).split("\n\n")[:25]), "", hours=11),
        event("brief", "More to follow.", quay, hours=12, slugline="NORRVIK-MAYOR/"),
        event("brief-2", "More to follow.", quay, hours=13),
        event("ja", japanese, "夜間の渡し船", language="ja", hours=14),
        event("ja-2", japanese, "夜間の渡し船を可決", language="ja", hours=15),
        event("\ud800 lone", report(4, 2), "A lone \udfff surrogate", version="\udc00", hours=16),
        event("empty", "", "", hours=17),
        undated,
        replace(undated, story=replace(undated.story, uri="undated-2", version=None)),
        event("late", report(9, 2), "Quarry closes at last", hours=-200),
        event("old", report(10, 2), "", hours=-70, language="nl-BE"),
    ]


def field_offset(name: str) -> int:
    """Where a field of the head begins."""
    before = list(HEAD_CODES)[: list(HEAD_CODES).index(name)]
    return struct.calcsize("<" + "".join(HEAD_CODES[field] for field in before))


@pytest.fixture(scope="module")
def golden() -> list[bytes]:
    return [bytes.fromhex(line) for line in GOLDEN.read_text("ascii").split()]


@pytest.fixture(scope="module")
def upgraded(golden: list[bytes]) -> list[bytes]:
    return [upgrade_record(memory) for memory in golden]


def test_decisions_find_their_parents_in_every_way() -> None:
    decisions = Deduplicator(Deduplicate()).decide_all(stories())
    assert {decision.lineage.relation for decision in decisions} == {
        "new", "duplicate", "update", "correction", "kill",
    }  # fmt: skip
    ways = {feature.name for decision in decisions for feature in decision.evidence}
    assert ways >= {"by-uri", "by-link", "by-content", "by-name", "score", "late"}


@pytest.mark.parametrize("moment", range(0, 22, 3))
def test_what_version_0_1_left_is_restored_to_the_same_parents(golden: list[bytes], moment: int) -> None:
    window, fresh = Deduplicator(Deduplicate()), Deduplicator(Deduplicate())
    for memory in golden[:moment]:
        window.restore(memory)
    assert window.ignored_records == 0
    now = fresh.decide_all(stories())[moment:]
    restored = [window.decide(story) for story in stories()[moment:]]
    for before, after in zip(now, restored, strict=True):
        if "by-brief" not in {
            feature.name for feature in before.evidence
        }:  # of which the words are remembered now
            assert after.lineage.story == before.lineage.story


@pytest.mark.parametrize("moment", range(0, 22, 3))
def test_what_was_decided_is_restored_to_the_same_decisions(moment: int) -> None:
    decisions = Deduplicator(Deduplicate()).decide_all(stories())
    window = Deduplicator(Deduplicate())
    for decision in decisions[:moment]:
        window.restore(decision.memory)
    assert window.ignored_records == 0
    assert [window.decide(story) for story in stories()[moment:]] == decisions[moment:]


def test_a_record_holds_the_report_and_what_is_new() -> None:
    decisions = Deduplicator(Deduplicate()).decide_all(stories())
    for story, decision in zip(stories(), decisions, strict=True):
        view = RecordView(decision.memory)
        assert view.report().headline == story.headline
        assert view.report().text == strip_standing_matter(story.text)[:MAX_REPORT_CHARS]
        assert view.report().is_cut == (len(story.text) > MAX_REPORT_CHARS)
        assert view.novel() == decision.novel
    assert any(decision.novel for decision in decisions)


def test_parts_are_read_as_the_whole_is(upgraded: list[bytes]) -> None:
    rows = read_rows(upgraded)
    assert rows.sizes.tolist() == [read_sample_size(memory) for memory in upgraded]
    views = [RecordView(memory) for memory in upgraded]
    assert rows.shingles.tolist() == [shingle for view in views for shingle in view.shingles.tolist()]
    assert rows.chains.tolist() == [view.head.chain_hash for view in views]
    assert [read_window_time(memory) for memory in upgraded] == [view.head.window_time_ms for view in views]
    for memory, view in zip(upgraded, views, strict=True):
        sample = read_sample(memory)
        assert (sample.size, sample.bound) == (view.head.shingle_count, view.head.bound)


def test_fields_stand_where_version_0_1_put_them() -> None:
    places = {"format_number": 0, "block_place": 2, "shingle_count": 8, "bound": 40, "chain_hash": 44}
    places |= {"time_ms": 48, "window_time_ms": 56, "state": 64, "digits": 80}
    assert {name: field_offset(name) for name in places} == places


@pytest.mark.parametrize(("identifiers", "keys"), [(46, 46), (47, 47), (48, 47)])
def test_a_record_holds_keys_up_to_its_most(identifiers: int, keys: int) -> None:
    others = tuple(AltId(f"urn:guid:{number}", "guid") for number in range(identifiers))
    memory = (
        Deduplicator(Deduplicate()).decide(event("a", report(1), "Ferry opens again", alt_ids=others)).memory
    )
    held = RecordView(memory).keys()
    assert (
        len(held) == keys + 8 <= MAX_RECORD_KEYS
    )  # version, all that it says, text, headline, uri, the source's languages
