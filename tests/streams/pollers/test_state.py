"""A feed's state survives as a few kB of bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.pollers.state import (
    KEYS_PER_ENTRY,
    MAX_OLDER_VERSIONS,
    FeedState,
    KnownEntry,
    pack_state,
    unpack_header,
    unpack_state,
)

hashes = st.integers(1, 2**64 - 1)
known = st.builds(
    KnownEntry,
    uri=st.text("abcdefgh:/.%~é", min_size=1, max_size=40),
    version=st.integers(1, 24),
    raw=hashes,
    content=hashes,
    keys=st.tuples(*[st.one_of(st.just(0), hashes)] * KEYS_PER_ENTRY),
    older=st.lists(hashes, max_size=MAX_OLDER_VERSIONS).map(tuple),
    left=st.integers(0, 2**40),
)
states = st.builds(
    FeedState,
    etag=st.text(max_size=20),
    body=hashes,
    polled=st.floats(0, 1e10),
    failures=st.integers(0, 99),
    errors=st.dictionaries(st.sampled_from(["dns", "timeout"]), st.integers(1, 9)),
    skip_hours=st.lists(st.integers(0, 23)).map(tuple),
    disabled=st.booleans(),
    rejected=st.lists(hashes, max_size=3).map(tuple),
    entries=st.lists(known, max_size=5).map(tuple),
)


@given(states)
def test_a_state_comes_back_as_it_was(state: FeedState) -> None:
    assert unpack_state(pack_state(state)) == state


@given(states)
def test_the_header_is_the_state_without_entries(state: FeedState) -> None:
    told = unpack_header(pack_state(state))
    assert told.entries == ()
    assert told.failures == state.failures


@given(st.binary(max_size=64))
def test_bytes_of_another_layout_are_an_empty_state(noise: bytes) -> None:
    assert unpack_state(noise) == unpack_header(noise) == FeedState()


def test_forty_entries_take_under_5_kb() -> None:
    entries = tuple(
        KnownEntry(f"https://www.wire.example/world/2026/feb/02/story-{n * 7919}", 1, n * 3**30 + 1, n * 5**25 + 2,
              (n * 7**20 + 3, n * 7**20 + 3, n * 11**15 + 5, 0, n * 13**14 + 7, n * 17**13 + 9))
        for n in range(40)
    )  # fmt: skip
    assert len(pack_state(FeedState(etag='"abc"', entries=entries))) < 5000
