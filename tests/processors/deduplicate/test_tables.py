"""Tables in shards tell what the whole table tells, and so do the decisions that rest on them."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.settings import Deduplicate
from processors.deduplicate import Deduplicator
from processors.deduplicate.tables import Kind, MakeTable, Sharded, Whole
from processors.model.event import Event
from tests.processors.deduplicate.stories import event, report

CALLS = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "take", "halve", "stretch", "clear"]),
        st.lists(st.integers(0, 2**32 - 1), max_size=20),
        st.integers(0, 255),
    ),
    max_size=12,
)


def in_shards(number: int) -> MakeTable:
    """Tables in so many parts, all of this process."""

    def make(size: int, kind: Kind) -> Sharded:
        return Sharded(size, kind, [Whole(0, kind) for _ in range(number)])

    return make


@given(st.integers(1, 70), st.integers(1, 9), st.sampled_from([np.uint8, np.uint64]), CALLS)
def test_a_table_in_shards_is_the_table(
    size: int, shards: int, kind: Kind, calls: list[tuple[str, list[int], int]]
) -> None:
    whole = Whole(size, kind)
    sharded = in_shards(shards)(size, kind)
    for name, hashes, value in calls:
        if name == "clear":
            whole.clear(1 + value)
            sharded.clear(1 + value)
            continue
        if name in {"halve", "stretch"}:
            getattr(whole, name)()
            getattr(sharded, name)()
            continue
        places = np.array([each % len(whole) for each in hashes], np.uint64)
        if name == "put":
            values = (value + np.arange(len(places))).astype(kind)
            whole.put(places, values)
            sharded.put(places, values)
        assert np.array_equal(whole.take(places), sharded.take(places))
    everywhere = np.arange(len(whole), dtype=np.uint64)
    assert len(whole) == len(sharded)
    assert np.array_equal(whole.take(everywhere), sharded.take(everywhere))


def decided(events: list[Event], shards: int) -> list[tuple[object, bytes]]:
    window = Deduplicator(Deduplicate(), in_shards(shards) if shards > 1 else Whole)
    return [(each.lineage, each.memory) for each in map(window.decide, events)]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9), st.floats(-10, 100)), max_size=40))
def test_lineage_is_the_same_to_the_byte_in_1_2_and_4_shards(history: list[tuple[int, int, float]]) -> None:
    events = [
        event(f"u{uri}", report(text, 5), f"Ferry {text} opens", version=str(number), hours=hours)
        for number, (uri, text, hours) in enumerate(history)
    ]
    whole = decided(events, 1)
    assert decided(events, 2) == whole
    assert decided(events, 4) == whole


@pytest.mark.parametrize("shards", [2, 3, 4])
def test_shards_agree_past_grown_aged_and_rebuilt_tables(
    monkeypatch: pytest.MonkeyPatch, shards: int
) -> None:
    monkeypatch.setattr("processors.deduplicate.index._START", 1 << 10)
    monkeypatch.setattr("processors.deduplicate.frequencies.PLACES", 1 << 12)
    own = random.Random(6)  # noqa: S311 -- an example, not a secret
    events = [
        event(f"u{n}", report(own.randrange(150), own.randint(3, 9)), hours=n / 3 + own.random())
        for n in range(300)
    ]
    whole = decided(events, 1)
    assert decided(events, shards) == whole
    assert {lineage.relation for lineage, _ in whole} >= {"new", "duplicate"}  # type: ignore[attr-defined]
