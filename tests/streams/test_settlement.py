"""The crash policy: every record has one fate, partitions stay in order, a bug is set aside at its third crash."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.errors import Empty, Transient
from streams.messages import Message, Record, RecordPlace
from streams.settlement import MAX_CRASHES, LostChild, Outcome, exhausted_letter, settle_run, split_run

FATES = ("made", "nothing", "rejected", "down", "bug", "lost")


def record(offset: int, partition: int = 0, topic: str = "in") -> Record:
    return Record(topic, partition, offset, b"k", b"%d" % offset, 0)


def outcome(fate: str, number: int = 0) -> Outcome:
    made: dict[str, Outcome] = {
        "made": (Message("out", b"k", b"%d" % number, 0),),
        "nothing": (),
        "rejected": Empty("nothing in it"),
        "down": Transient("no answer"),
        "bug": ZeroDivisionError("our fault"),
        "lost": LostChild("tag was not done after 30 s"),
    }
    return made[fate]


@st.composite
def runs(draw: st.DrawFn) -> tuple[list[Record], list[Outcome], dict[RecordPlace, int]]:
    """Records of some partitions, mixed but each in order, what came of them, and how often they crashed before."""
    following: dict[int, int] = defaultdict(int)
    records: list[Record] = []
    for partition in draw(st.lists(st.integers(0, 3), max_size=12)):
        records.append(record(following[partition], partition))
        following[partition] += 1
    outcomes = [outcome(draw(st.sampled_from(FATES)), number) for number in range(len(records))]
    counts = (
        st.dictionaries(st.sampled_from([r.place for r in records]), st.integers(1, 4))
        if records
        else st.just({})
    )
    return records, outcomes, draw(counts)


@given(runs())
def test_every_record_has_one_fate(run: tuple[list[Record], list[Outcome], dict[RecordPlace, int]]) -> None:
    records, outcomes, crashes = run
    settlement = settle_run("step", records, outcomes, crashes)
    fates = [r for r, _ in settlement.commit] + [r for r, _ in settlement.dead_letters] + settlement.retry
    assert sorted(r.place for r in fates) == sorted(r.place for r in records)
    assert {r.place for r in settlement.alone} <= {r.place for r in settlement.retry}


@given(runs())
def test_a_partition_is_committed_up_to_its_first_failure_and_no_further(
    run: tuple[list[Record], list[Outcome], dict[RecordPlace, int]],
) -> None:
    records, outcomes, crashes = run
    settlement = settle_run("step", records, outcomes, crashes)
    for partition in range(4):
        passed = [r.offset for r, _ in settlement.commit if r.partition == partition]
        passed += [r.offset for r, _ in settlement.dead_letters if r.partition == partition]
        assert passed == list(range(len(passed))), "no gap, nothing before its turn"
        left = [r.offset for r in settlement.retry if r.partition == partition]
        assert left == list(range(len(passed), len(passed) + len(left))), "the rest waits in order"


@given(runs())
def test_only_bugs_are_counted_and_only_those_that_crashed_too_often_are_set_aside(
    run: tuple[list[Record], list[Outcome], dict[RecordPlace, int]],
) -> None:
    records, outcomes, crashes = run
    settlement = settle_run("step", records, outcomes, crashes)
    assert all(isinstance(error, ZeroDivisionError | LostChild) for _, error in settlement.crashed)
    for r, letter in settlement.dead_letters:
        assert crashes[r.place] + 1 >= MAX_CRASHES
        assert letter.header("x-error-type") == b"Bug"
    suspects = {r.place for r, error in settlement.crashed if isinstance(error, LostChild)}
    for r in settlement.alone:
        assert r.place in suspects or crashes.get(r.place, 0) + 1 < MAX_CRASHES
    assert {r.place for r, _ in settlement.crashed} == {
        r.place for r in (*settlement.alone, *(r for r, _ in settlement.dead_letters))
    }


@given(runs())
def test_running_again_ends_with_every_record_passed_and_each_bug_tried_as_often_as_allowed(
    run: tuple[list[Record], list[Outcome], dict[RecordPlace, int]],
) -> None:
    """What a runtime does, carried out in memory: outages end, bugs stay."""
    records, outcomes, crashes = run
    of = dict(zip([r.place for r in records], outcomes, strict=True))
    tried: dict[RecordPlace, int] = defaultdict(int)
    passed: list[RecordPlace] = []
    waiting, counts = list(records), dict(crashes)
    for _ in range(200):
        if not waiting:
            break
        now, later = split_run(waiting, counts)
        if letter := exhausted_letter("step", now[0], counts.get(now[0].place, 0)):
            assert letter.header("x-attempts") == str(counts[now[0].place]).encode()
            passed.append(now[0].place)
            waiting = [*now[1:], *later]
            continue
        for each in now:
            tried[each.place] += 1
        settlement = settle_run("step", now, [of[r.place] for r in now], counts)
        for each, _ in settlement.crashed:
            counts[each.place] = counts.get(each.place, 0) + 1
        of |= {place: () for place, result in of.items() if isinstance(result, Transient)}
        passed += [r.place for r, _ in settlement.commit] + [r.place for r, _ in settlement.dead_letters]
        waiting = sorted([*settlement.retry, *later], key=records.index)
    assert sorted(passed) == sorted(r.place for r in records)
    for place, result in of.items():
        if isinstance(result, ZeroDivisionError):
            assert tried[place] >= max(0, MAX_CRASHES - crashes.get(place, 0))


def test_what_the_sender_did_wrong_is_set_aside_at_once_with_its_bytes() -> None:
    settlement = settle_run("step", [record(0), record(1)], [outcome("rejected"), outcome("made")], {})
    (_, (letter,)), _ = settlement.commit
    assert (letter.topic, letter.value, letter.header("x-error-type")) == ("in.dlq", b"0", b"Empty")
    assert not settlement.retry


def test_what_the_world_did_wrong_waits_in_place_with_what_stands_behind_it() -> None:
    records = [record(0), record(1), record(2), record(0, partition=1)]
    settlement = settle_run("step", records, [(), outcome("down"), (), ()], {})
    assert [r.place for r, _ in settlement.commit] == [("in", 0, 0), ("in", 1, 0)]
    assert settlement.retry == records[1:3]
    assert isinstance(settlement.waits_for, Transient)
    assert not settlement.alone, "an outage says nothing against a record"


@pytest.mark.parametrize("before", range(5))
def test_a_bug_is_set_aside_at_its_third_crash(before: int) -> None:
    settlement = settle_run("step", [record(0)], [outcome("bug")], {("in", 0, 0): before})
    assert bool(settlement.dead_letters) == (before + 1 >= 3)
    assert bool(settlement.alone) == (before + 1 < 3)


def test_all_that_a_lost_child_had_is_suspect_so_that_the_guilty_one_is_found_in_three_runs() -> None:
    """Not one record after the other, which would cost a deadline each."""
    records = [record(n) for n in range(3)]
    settlement = settle_run("tag", records, [outcome("lost")] * 3, {})
    assert [r.offset for r, _ in settlement.crashed] == [0, 1, 2]
    assert settlement.alone == settlement.retry == records
    counts = {r.place: 1 for r in records}
    assert split_run(records, counts)[0] == [records[0]]
    alone = settle_run("tag", [records[2]], [outcome("lost")], {records[2].place: 2})
    [(_, letter)] = alone.dead_letters
    assert (
        "tag crashed 3 times on this record (tag was not done after 30 s)"
        in (letter.header("x-error-message") or b"").decode()
    )


@pytest.mark.parametrize(("crashes", "letter"), [(0, False), (2, False), (3, True), (4, True)])
def test_a_record_that_took_workers_with_it_is_not_run_a_fourth_time(crashes: int, letter: bool) -> None:
    assert bool(exhausted_letter("step", record(0), crashes)) == letter


@pytest.mark.parametrize(
    ("suspects", "now"), [([], [0, 1, 2]), ([0], [0]), ([1], [0]), ([2], [0, 1]), ([0, 1], [0])]
)
def test_a_suspect_is_run_with_no_other_record(suspects: list[int], now: list[int]) -> None:
    records = [record(n) for n in range(3)]
    chosen, later = split_run(records, {("in", 0, n): 1 for n in suspects})
    assert [r.offset for r in chosen] == now
    assert [*chosen, *later] == records
