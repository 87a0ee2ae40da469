"""Who changed what, and when: a line in the log, and one in a file that the desk shows the last of.

The file holds a JSON object a line. Lines are appended whole, so that several processes may write it; at `MAX_FILE_BYTES`
it becomes ``….1``, and the one before it goes.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import structlog
from msgspec import Struct

from config.redaction import redact_secrets
from processors.errors import Transient
from processors.times import to_timestamp

FILE_NAME: Final = "changes.jsonl"  # in the data folder
# About 40,000 changes. Less forgets the changes of a busy year; more is read for each page that shows the last ones.
MAX_FILE_BYTES: Final = 8 * 1024 * 1024
MAX_DETAIL_CHARS: Final = (
    500  # of what was changed: longer lines hide the next, shorter ones the address of a feed
)
MAX_REMEMBERED: Final = 200  # without a file
log = structlog.get_logger("wiredesk.changes")


class RecordedChange(Struct, frozen=True):
    """A change: when (RFC 3339), who by which name, what was done to what, and what came of it."""

    id: str
    time: str
    who: str
    what: str
    target: str
    result: str


class ChangePage(Struct, frozen=True):
    """Changes, newest first, and the cursor of the next page; null where nothing follows."""

    changes: tuple[RecordedChange, ...]
    after: str | None


class ChangeLog:
    """The changes of one file; without one they are remembered until the process ends."""

    def __init__(self, path: Path | None, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives seconds since the epoch."""
        self.path, self._clock = path, clock
        self._remembered: deque[RecordedChange] = deque(maxlen=MAX_REMEMBERED)

    async def record(self, who: str, what: str, target: str, result: str) -> None:
        """Write a change down.

        Raises:
            Transient: the file can't be written; the change was made, and stands in the log.
        """
        change = describe_change(who, what, target, result, self._clock())
        log.info("a change by hand", who=who, what=what, target=change.target, result=change.result)
        self._remembered.append(change)
        if self.path is not None:
            await asyncio.to_thread(append_change, self.path, change)

    async def latest(self, limit: int, after: str | None = None) -> ChangePage:
        """The last changes before that of the id `after`; those that are gone from the file are passed over."""
        changes = (
            list(self._remembered) if self.path is None else await asyncio.to_thread(_load_changes, self.path)
        )
        if after is not None:
            place = next((at for at, change in enumerate(changes) if change.id == after), None)
            # An id whose line is gone is older than all that is left: nothing follows.
            changes = changes[:place] if place is not None else []
        page = changes[::-1][:limit]
        return ChangePage(tuple(page), page[-1].id if len(changes) > len(page) else None)


def describe_change(who: str, what: str, target: str, result: str, now: float) -> RecordedChange:
    """The change as it is kept, without secrets; `now` in seconds since the epoch."""
    moment = int(now * 1000)
    target, result = (redact_secrets(text)[:MAX_DETAIL_CHARS] for text in (target, result))
    identity = f"{moment:013d}-{secrets.token_hex(4)}"
    return RecordedChange(identity, to_timestamp(moment), who, what, target, result)


def append_change(path: Path, change: RecordedChange) -> None:
    """Append a line, readable by its owner alone.

    Raises:
        Transient: it can't be written.
    """
    line = msgspec.json.encode(change) + b"\n"
    try:
        if path.exists() and path.stat().st_size + len(line) > MAX_FILE_BYTES:
            path.replace(path.with_name(f"{path.name}.1"))
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            os.write(number, line)
            os.fsync(number)
        finally:
            os.close(number)
    except OSError as error:
        raise Transient(
            f"{path}: {error.strerror}; the change was made, and is told in the log only"
        ) from error


def _load_changes(path: Path) -> list[RecordedChange]:
    """The changes of both files, oldest first; a line that was cut off by a crash is left out."""
    changes = []
    for name in (path.with_name(f"{path.name}.1"), path):
        try:
            raw = name.read_bytes()
        except OSError:
            continue
        for line in raw.splitlines():
            try:
                changes.append(msgspec.json.decode(line, type=RecordedChange))
            except (msgspec.DecodeError, UnicodeError):
                continue
    return changes
