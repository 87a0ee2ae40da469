"""A state that differs in clocks alone is not written; one with a new entry in a few hundred bytes, and read as it was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from streams.kafka.feed_deltas import (
    CLOCKS,
    MAX_DELTA_SHARE,
    REFRESH_S,
    apply_delta,
    is_worth_saving,
    pack_delta,
)
from streams.pollers.state import FeedState, KnownEntry, pack_state, unpack_state

NOW = 1_795_176_000.0


def entry(number: int, version: int = 1) -> KnownEntry:
    hashes = [
        xxhash.xxh64_intdigest(f"{number} {version if part < 2 else 0} {part}".encode()) for part in range(5)
    ]
    uri = f"https://nda.example/stories/{hashes[2]:x}"
    return KnownEntry(uri, version, hashes[0], hashes[1], (*hashes[2:], 0, 0, 0))


def state(*numbers: int, **members: Any) -> FeedState:
    known: dict[str, Any] = {"polled": NOW, "etag": "a", "outcome": "new"}
    return FeedState(**(known | members), entries=tuple(map(entry, numbers)))


BEFORE = state(*range(50))


def test_a_poll_after_which_only_clocks_differ_is_not_written_for_some_hours() -> None:
    saved = pack_state(BEFORE)
    numbers: dict[str, Any] = {name: 7.0 for name in CLOCKS if isinstance(getattr(BEFORE, name), float)}
    later = replace(
        BEFORE, outcome="not_modified", etag="b", body=9, **numbers | {"polled": NOW + REFRESH_S - 1}
    )
    assert not is_worth_saving(saved, pack_state(later))
    assert is_worth_saving(saved, pack_state(replace(later, polled=NOW + REFRESH_S)))


@pytest.mark.parametrize(
    "changed",
    [
        {"failures": 1}, {"held_until": NOW}, {"gone": NOW}, {"moved_to": "https://nda.example/new"}, {"disabled": True},
        {"outcome": "dns"}, {"entries": tuple(map(entry, range(1, 51)))},
        {"entries": (*map(entry, range(49)), entry(49, 2))}, {"last_new": NOW}, {"cursor": "c"},
    ],
)  # fmt: skip
def test_anything_else_is_written(changed: dict[str, Any]) -> None:
    assert is_worth_saving(pack_state(BEFORE), pack_state(replace(BEFORE, **changed)))


def test_a_new_entry_takes_some_hundred_bytes_and_many_are_written_whole() -> None:
    base = pack_state(BEFORE)
    newer = pack_state(state(50, *range(49), last_new=NOW))
    delta = pack_delta(base, newer)
    assert delta is not None
    assert len(delta) < 400 < len(newer) * MAX_DELTA_SHARE
    assert unpack_state(apply_delta(base, delta) or b"") == unpack_state(newer)
    assert pack_delta(base, pack_state(state(*range(100, 150)))) is None


@given(
    st.lists(st.integers(0, 60), unique=True, max_size=60),
    st.lists(st.integers(0, 90), unique=True, max_size=60),
)
def test_a_difference_gives_back_the_state(before: list[int], after: list[int]) -> None:
    base, newer = pack_state(state(*before)), pack_state(state(*after, failures=2))
    delta = pack_delta(base, newer)
    if delta is not None:
        assert unpack_state(apply_delta(base, delta) or b"") == unpack_state(newer)


def test_a_difference_of_another_base_or_damaged_is_none() -> None:
    base = pack_state(BEFORE)
    delta = pack_delta(base, pack_state(state(50, *range(49)))) or b""
    assert apply_delta(pack_state(state(*range(1, 51))), delta) is None
    for damaged in (delta[:-9], b"wdd1", b"wdd2" + delta[4:], b""):
        assert apply_delta(base, damaged) is None


@pytest.mark.parametrize("unreadable", [b"", b"another layout"])
def test_what_another_version_wrote_is_written_whole(unreadable: bytes) -> None:
    newer = pack_state(BEFORE)
    assert is_worth_saving(unreadable, newer)
    assert pack_delta(unreadable, newer) is None
