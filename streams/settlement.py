"""The crash policy, once for both runtimes: what to commit, set aside and run again after a step has run.

Everything here is pure: records, what came of them and how often each crashed go in, decisions come out. The runtimes
carry them out, each in its own transactions.

========================  =====================================================================================
what came of a record     what is done
========================  =====================================================================================
messages                  they are committed with its offset
`Rejected`                what the sender did wrong: its dead letter is committed with its offset
`Transient`               what the world did wrong: nothing is counted; it is run again, in place, after a wait
`LostChild`               the pool's child that had it was killed, past the deadline or otherwise: as a bug, and so
                          is all else that the child had in hand
any other exception       a bug of ours: it is counted and run again, alone; a dead letter at `MAX_CRASHES`
========================  =====================================================================================

A partition stays in order: what stands behind a record that failed is run again after it, whatever came of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from processors.errors import Bug, Rejected, Transient
from streams.messages import Message, Record, RecordPlace, dead_letter

# Crashes on one record before it is set aside. With 1 a fault that passes (memory was short, a child was killed) costs
# a story; each one more makes a partition stand still for one more restart of the step, which loads models.
MAX_CRASHES: Final = 3


class LostChild(Exception):
    """The child of the pool that had a record in hand is no more. Any record of its chunk may be to blame."""


Outcome = tuple[Message, ...] | Exception
CrashCounts = Mapping[RecordPlace, int]


@dataclass(slots=True)
class Settlement:
    """What to do with the records of one run. Each is named once in `commit`, `dead_letters` or `retry`."""

    commit: list[tuple[Record, tuple[Message, ...]]] = field(default_factory=list)  # in order
    dead_letters: list[tuple[Record, Message]] = field(
        default_factory=list
    )  # of bugs; committed after `commit`
    retry: list[Record] = field(default_factory=list)  # to be run again, in order
    alone: list[Record] = field(default_factory=list)  # those of `retry` that crashed: each is run by itself
    crashed: list[tuple[Record, Exception]] = field(default_factory=list)  # bugs: to be counted and logged
    waits_for: Transient | None = None  # why there is a wait before `retry` is run


def settle_run(
    step: str, records: Sequence[Record], outcomes: Sequence[Outcome], crashes: CrashCounts
) -> Settlement:
    """Decide what becomes of the records of one run.

    Args:
        step: the name that dead letters carry.
        records: what was run, in order; those of one partition by their offsets.
        outcomes: one a record.
        crashes: how often each record had crashed before this run; a record that never did may be absent.
    """
    settlement = Settlement()
    blocked: set[tuple[str, int]] = set()
    for record, outcome in zip(records, outcomes, strict=True):
        partition = record.topic, record.partition
        if partition in blocked:
            settlement.retry.append(record)
            if isinstance(outcome, LostChild):
                settlement.crashed.append((record, outcome))
                settlement.alone.append(record)
        elif isinstance(outcome, Rejected):
            settlement.commit.append((record, (dead_letter(record, step, outcome),)))
        elif isinstance(outcome, Exception):
            blocked.add(partition)
            _add_failure(settlement, step, record, outcome, crashes)
        else:
            settlement.commit.append((record, outcome))
    return settlement


def _add_failure(
    settlement: Settlement, step: str, record: Record, error: Exception, crashes: CrashCounts
) -> None:
    if isinstance(error, Transient):
        settlement.waits_for = settlement.waits_for or error
        settlement.retry.append(record)
        return
    settlement.crashed.append((record, error))
    letter = exhausted_letter(step, record, crashes.get(record.place, 0) + 1, error)
    if letter:
        settlement.dead_letters.append((record, letter))
    else:
        settlement.retry.append(record)
        settlement.alone.append(record)


def exhausted_letter(
    step: str, record: Record, crash_count: int, error: Exception | None = None
) -> Message | None:
    """The dead letter of a record that crashed its step `MAX_CRASHES` times; None where it may be tried again."""
    if crash_count < MAX_CRASHES:
        return None
    reason = f" ({error})" if isinstance(error, LostChild) else ""
    bug = Bug(f"{step} crashed {crash_count} times on this record{reason}; see the log, then replay it")
    return dead_letter(record, step, bug, crash_count)


def split_run(records: Sequence[Record], crashes: CrashCounts) -> tuple[Sequence[Record], Sequence[Record]]:
    """The records to run now, and those that wait, in order: a record that crashed before is run alone."""
    if not crashes:
        return records, ()
    suspect = next((n for n, record in enumerate(records) if crashes.get(record.place)), len(records))
    end = max(suspect, 1)
    return records[:end], records[end:]
