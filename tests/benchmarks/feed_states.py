"""What pollers write to ``wire.state.feeds.v1`` a day, reckoned from the records that polls make.

    python -m tests.benchmarks.feed_states [--feeds 10000] [--entries 50] [--minutes 5] [--new 10]

A feed of so many entries is polled every so many minutes for a day; so many of the polls, spread over it, bring one new
entry, the others nothing. Records are made by the functions that the ledger calls, keys and Kafka's own bytes included.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import xxhash

from streams.kafka.feed_deltas import DELTA_SUFFIX, is_worth_saving, pack_delta
from streams.pollers.state import FeedState, KnownEntry, pack_state

RECORD_BYTES = (
    70  # of Kafka for a record of a small batch: offsets, times, lengths, and its share of the batch's head
)
KEY = b"https-feeds-of-an-agency-world"
DAY_S = 24 * 3600


def entry(number: int) -> KnownEntry:
    """An entry as a feed of articles has them: a guid, a link and a title."""
    hashes = [xxhash.xxh64_intdigest(f"{number} {part}".encode()) for part in range(5)]
    return KnownEntry(
        f"https://nda.example/2026/11/20/story-{hashes[0]:x}", 1, hashes[0], hashes[1], (*hashes[2:], 0, 0, 0)
    )


def write_day(entries: int, minutes: float, new: int) -> tuple[int, int, int, int]:
    """The bytes and number of the records of a day, of the ledger now; and the same where each poll writes all."""
    polls = int(DAY_S / 60 / minutes)
    state = FeedState(
        etag='"5f-62a1"', outcome="not_modified", polled=1.8e9, next_poll=1.8e9, last_success=1.8e9, last_new=1.8e9,
        since=1.7e9, quiet=3600.0, seen_items=12.3, seen_span=86_400.5, usual_items=70.1, usual_span=600_000.2,
        validated_url="8c1f", body=1 << 60, entries=tuple(map(entry, range(entries))),
    )  # fmt: skip
    saved = whole = pack_state(state)
    size, count, old_size = 0, 0, 0
    for poll in range(polls):
        now = 1.8e9 + poll * minutes * 60
        state = replace(
            state, polled=now, next_poll=now + minutes * 60, last_success=now, seen_span=86_400.5 + poll
        )
        if poll % max(1, polls // new) == 0:
            fresh = (entry(entries + poll), *state.entries[:-1])
            state = replace(
                state, entries=fresh, outcome="new", last_new=now, usual_items=state.usual_items + 1
            )
        packed = pack_state(state)
        old_size += len(packed) + len(KEY) + RECORD_BYTES
        if not is_worth_saving(saved, packed):
            continue
        delta = pack_delta(whole, packed)
        whole, saved = (packed, packed) if delta is None else (whole, packed)
        size += len(packed if delta is None else delta + DELTA_SUFFIX) + len(KEY) + RECORD_BYTES
        count += 1
    return size, count, old_size, polls


def main() -> None:
    """Reckon and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--feeds", type=int, default=10_000)
    parser.add_argument("--entries", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--new", type=int, default=10)
    options = parser.parse_args()
    size, count, old_size, polls = write_day(options.entries, options.minutes, options.new)
    print(f"{options.feeds:,} feeds of {options.entries} entries, polled every {options.minutes:g} minutes:")
    print(
        f"  {polls} polls a feed, {count} records, {size:,} bytes: {size * options.feeds / 1e6:,.0f} MB a day"
    )
    print(f"  all of the state with each poll: {old_size * options.feeds / 1e6:,.0f} MB a day")


if __name__ == "__main__":
    main()
