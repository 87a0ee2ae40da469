"""The embedded log keeps offsets, outputs and states together."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import Misconfigured
from streams.embedded.log import CHUNK_RECORDS, MAX_READ_BYTES, Log
from streams.messages import Message

HEADERS = (("ce_id", b"\xff\x00"), ("x", b"1"))


def a_message(topic: str, number: int) -> Message:
    return Message(topic, b"k", str(number).encode(), number * 1000, HEADERS)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    opened = Log(tmp_path / "log.sqlite")
    yield opened
    opened.close()


def values(log: Log, topic: str) -> list[bytes]:
    return [record.value for record in log.records(topic)]


def test_records_come_back_as_written_in_order(log: Log) -> None:
    log.append([a_message("a", 1), a_message("b", 2), a_message("a", 3)])
    first, second = log.records("a")
    assert (first.offset, first.value, first.headers, first.timestamp) == (0, b"1", HEADERS, 1000)
    assert (second.offset, second.value) == (1, b"3")


@pytest.mark.parametrize("number", [0, 1, CHUNK_RECORDS, CHUNK_RECORDS + 1, 2 * CHUNK_RECORDS + 3])
def test_a_topic_is_read_in_pieces_up_to_the_end_that_it_had(log: Log, number: int) -> None:
    log.append([a_message("a", n) for n in range(number)])
    read: list[int] = []
    for piece in log.record_chunks("a"):
        assert 0 < len(piece) <= CHUNK_RECORDS
        log.append([a_message("a", 9), a_message("b", 9)])
        read += [record.offset for record in piece]
    assert read == list(range(number))


@pytest.mark.parametrize(("share", "read"), [(0.25, 4), (0.3, 3), (0.6, 1), (1.5, 1)])
def test_large_records_are_read_few_at_a_time_and_all_in_the_end(log: Log, share: float, read: int) -> None:
    value = b"x" * int(MAX_READ_BYTES * share)
    log.append([Message("a", b"k", value, 0) for _ in range(5)])
    assert len(log.next_records("reader", ["a"], 64)) == read
    assert [record.offset for piece in log.record_chunks("a") for record in piece] == list(range(5))
    assert len(log.records("a")) == 5


def test_what_was_dropped_is_not_counted(log: Log) -> None:
    log.append([a_message("a", n) for n in range(3)] + [a_message("b", 9)])
    log.delete_records("a", [0, 2])
    assert (
        log.count_records(["a"]),
        log.count_records(["a", "b"]),
        log.count_records(["c"]),
        log.count_records([]),
    ) == (1, 2, 0, 0)


def test_a_consumer_goes_on_where_it_committed(log: Log) -> None:
    log.append([a_message("a", n) for n in range(5)])
    log.commit("step", {"a": 2}, [a_message("b", 9)])
    assert [record.value for record in log.next_records("step", ["a"], 10)] == [b"2", b"3", b"4"]
    assert [record.value for record in log.next_records("other", ["a"], 2)] == [b"0", b"1"]
    assert (log.lag("step", ["a"]), log.lag("other", ["a", "b"])) == (3, 6)
    assert log.oldest_unread_ms("step", ["a"]) == 2000


def test_live_comes_before_back_fill(log: Log) -> None:
    log.append([a_message("backfill", 1), a_message("live", 2)])
    assert [record.topic for record in log.next_records("step", ["live", "backfill"], 10)] == ["live"]
    log.commit("step", {"live": 1})
    assert [record.topic for record in log.next_records("step", ["live", "backfill"], 10)] == ["backfill"]


def test_a_commit_that_fails_changes_nothing(log: Log) -> None:
    log.append([a_message("a", 1)])

    def fails() -> None:
        log.save_feed("bbc", b"new")
        raise ValueError("half-way")

    with pytest.raises(ValueError, match="half-way"):
        log.commit("step", {"a": 1}, [a_message("b", 2)], fails)
    assert values(log, "b") == []
    assert log.committed_offset("step", "a") == 0
    assert log.feeds() == {}
    log.commit("step", {"a": 1}, [a_message("b", 2)])
    assert values(log, "b") == [b"2"]


def test_offsets_go_on_after_pruning(log: Log) -> None:
    log.append([a_message("a", n) for n in range(4)])
    log.commit("step", {"a": 3})
    assert log.delete_older("a", 10_000, ["step"]) == 3
    assert values(log, "a") == [b"3"]
    log.commit("step", {"a": 4})
    log.delete_older("a", 10_000, ["step"])
    log.append([a_message("a", 7)])
    assert [record.offset for record in log.records("a")] == [4]


def test_pruning_keeps_what_is_young(log: Log) -> None:
    log.append([a_message("a", n) for n in range(4)])
    log.commit("step", {"a": 4})
    assert log.delete_older("a", 2000, ["step"]) == 2
    assert values(log, "a") == [b"2", b"3"]


def test_what_somebody_has_not_read_stays_until_it_is_dropped_by_force_which_counts_it(log: Log) -> None:
    log.append([a_message("a", n) for n in range(6)])
    log.commit("quick", {"a": 6})
    log.commit("slow", {"a": 1})
    assert log.delete_older("a", 4000, ["quick", "slow"]) == 1, "as far as the slowest has read"
    assert log.lag("slow", ["a"]) == 5
    assert log.delete_unread("a", 4000, ["quick", "slow"]) == {"slow": 3}
    assert values(log, "a") == [b"4", b"5"]
    assert log.lag("slow", ["a"]) == 2, "what is gone waits no more"
    log.commit("slow", {"a": 6}, read_from={"a": 4})
    assert log.delete_unread("a", 10_000, ["quick", "slow"]) == {}
    assert (log.lag("slow", ["a"]), log.lag("late", ["a"])) == (0, 0)


def test_crashes_are_counted_until_the_record_is_passed(log: Log) -> None:
    log.append([a_message("a", 1)])
    record = log.records("a")[0]
    assert [log.count_crash("step", record) for _ in range(3)] == [1, 2, 3]
    assert (log.crash_counts("step"), log.crash_counts("other")) == ({record.place: 3}, {})
    log.commit("step", {"a": 1})
    assert log.crash_counts("step") == {}


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    first = Log(tmp_path / "log.sqlite")
    first.append([a_message("a", 1)])
    first.commit("step", {"a": 1}, in_transaction=lambda: first.save_sink_position("events", 77))
    first.save_feed("bbc", b"state")
    first.close()
    again = Log(tmp_path / "log.sqlite")
    assert (again.committed_offset("step", "a"), again.sink_position("events"), again.feeds()) == (
        1,
        77,
        {"bbc": b"state"},
    )
    again.close()


def test_a_file_that_is_no_log_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log.sqlite").write_bytes(b"not a database, but long enough to be read as one" * 30)
    with pytest.raises(Misconfigured, match=r"log\.sqlite"):
        Log(tmp_path / "log.sqlite")


def test_readers_see_commits_beside_the_writer(log: Log, tmp_path: Path) -> None:
    log.append([a_message("a", 1)])
    reader = sqlite3.connect(f"file:{tmp_path / 'log.sqlite'}?mode=ro", uri=True)
    with log.transaction():
        log.append([a_message("a", 2)])
        assert reader.execute("SELECT count(*) FROM records").fetchone() == (1,)
    assert reader.execute("SELECT count(*) FROM records").fetchone() == (2,)
    reader.close()


def test_who_began_first_on_a_file_without_a_lock_writes_nothing_more(log: Log) -> None:
    later = Log(log.path)
    log.become_writer("process 1 on alder")
    log.commit("copy", {"a": 1}, [a_message("b", 1)])
    later.become_writer("process 2 on birch")
    with pytest.raises(
        Misconfigured, match=r"goes on \(process 2 on birch\); let only one use a data folder"
    ):
        log.commit("copy", {"a": 2}, [a_message("b", 2)])
    with pytest.raises(Misconfigured):
        log.save_feed("f", b"state")  # polls would repeat as well
    later.commit("copy", {"a": 2}, [a_message("b", 3)])
    assert values(log, "b") == [b"1", b"3"]
    later.close()
    other = Log(log.path)  # of a command, which is no pipeline
    other.append([a_message("b", 4)])
    assert values(log, "b") == [b"1", b"3", b"4"]
    other.close()
