"""The operator's files while a process runs: read again when they change, whole or not at all.

A process names its parts: feeds, routes, watch lists, webhooks, certificates. Their files are looked at twice a
second, and read at SIGHUP. All that have changed are read first; where one has a fault, none is taken: an error line says
what is wrong, and what was in force stays so. Else each part is put in force, and one line says what changed.

Files are looked at with ``stat``, as inotify hears nothing of a network file system, of a bind mount whose file was
replaced, or of the links by which Kubernetes changes a ConfigMap.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import termios
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import structlog

from config import Misconfigured
from processors.errors import Transient
from sinks.metrics import FILE_RELOADS, RELOAD_REFUSED

# Between two looks, and how long a file must have stood still before it is read: an editor may write it in pieces. With
# less, half a file is read as a whole one; with more, a change takes longer than the two seconds that we promise.
LOOK_INTERVAL_S: Final = 0.5
MAX_SHOWN_NAMES: Final = 20  # of one part in the line that says what changed; more make it unreadable
log = structlog.get_logger("wiredesk.reload")

FileStamp = (
    tuple[int, int, int] | None
)  # of a file: when it was changed, its size, its number; None: not there


@dataclass(slots=True)
class ReloadPart:
    """What is read of some files.

    `load` reads them and raises `Misconfigured` where they have a fault; it runs in a thread. `name_members` gives what
    was read by names, for the line that says what changed. `put_in_force` takes it over.
    """

    name: str
    paths: Callable[[], Iterable[Path]]
    load: Callable[[], Any]
    name_members: Callable[[Any], Mapping[str, Any]]
    put_in_force: Callable[[Any], Awaitable[None]]
    members: Mapping[str, Any] = field(default_factory=dict)  # of what is in force


class FileReloader:
    """Looks after the files of a process; run it beside everything else."""

    def __init__(self, parts: Sequence[ReloadPart] = ()) -> None:
        """Remember how the files are now: make it before they are read for the first time."""
        self._parts = list(parts)
        self._seen = {part.name: fingerprints(part.paths()) for part in self._parts}
        self._taken = dict(self._seen)  # as they were when they were last taken
        self._refused: Mapping[str, Any] = {}  # as they were when they were last refused
        self._asked = asyncio.Event()
        self._pending: list[tuple[ReloadPart, Any]] = []  # read and not yet in force: the broker is away

    def ask(self) -> None:
        """Read all files again at once, as SIGHUP does."""
        self._asked.set()

    async def run(self, on_hangup: Callable[[], None] = lambda: None) -> None:
        """Reload whenever a file changes or SIGHUP comes, until cancelled. `on_hangup`: our terminal has gone."""
        loop = asyncio.get_running_loop()
        terminal = _terminal()

        def take_hangup() -> None:
            if terminal is not None and not _is_open(terminal):
                on_hangup()
            else:
                self.ask()

        loop.add_signal_handler(signal.SIGHUP, take_hangup)
        try:
            await self.begin()
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._asked.wait(), LOOK_INTERVAL_S)
                await self.look()
        finally:
            loop.add_signal_handler(signal.SIGHUP, lambda: None)  # it must not kill us while we end

    async def begin(self) -> None:
        """Learn the names of what is in force, for the lines that say what changed."""
        for part in self._parts:
            with suppress(Misconfigured):  # it has changed since it was read, and the first look tells
                part.members = part.name_members(await asyncio.to_thread(part.load))

    async def look(self) -> None:
        """Read what has changed and stands still; all of it where somebody has asked."""
        if self._pending:
            await self._put_in_force()
        now = {part.name: fingerprints(part.paths()) for part in self._parts}
        is_still, self._seen = now == self._seen, now
        changed = [part for part in self._parts if now[part.name] != self._taken[part.name]]
        if self._asked.is_set():
            self._asked.clear()
            await self._reload(self._parts, now)
        elif changed and is_still and now != self._refused:
            await self._reload(changed, now)

    async def _reload(self, parts: Sequence[ReloadPart], now: Mapping[str, Any]) -> None:
        if not parts:
            log.info("this process reads no file that it could read again")
            return
        try:
            loaded = [(part, await asyncio.to_thread(part.load)) for part in parts]
        except Misconfigured as error:
            log.error(  # noqa: TRY400 -- the operator's fault, which the line tells whole
                "what has changed is not taken, and what was in force stays so", error=str(error)
            )
            FILE_RELOADS.labels("refused").inc()
            RELOAD_REFUSED.set(1)
            self._refused = now  # they are read again when one of them changes again
            return
        self._taken, self._refused = dict(now), {}
        self._pending = loaded
        RELOAD_REFUSED.set(0)
        await self._put_in_force()

    async def _put_in_force(self) -> None:
        """Put in force what was read, and say what changed; where the world keeps us from it, it is tried again."""
        changes: dict[str, str] = {}
        while self._pending:
            part, value = self._pending[0]
            try:
                await part.put_in_force(value)
            except (Transient, OSError) as error:
                log.warning("what was read again waits", part=part.name, reason=str(error))
                break
            members = part.name_members(value)
            if change := describe_changes(part.members, members):
                changes[part.name] = change
            part.members = members
            self._pending.pop(0)
        if changes:
            log.info("reloaded", **changes)
        elif not self._pending:
            log.info("read again, and nothing differs")
        if not self._pending:
            FILE_RELOADS.labels("done").inc()


@asynccontextmanager
async def follow_files(reloader: FileReloader, stop: asyncio.Event) -> AsyncIterator[None]:
    """Reload while the block runs; a terminal that hangs up sets `stop`."""

    def note_end(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            log.error("files are not read again any more: please report it", exc_info=error)

    task = asyncio.create_task(reloader.run(stop.set), name="reload")
    task.add_done_callback(note_end)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def describe_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What was added (+), removed (-) and changed (~), by name; empty where nothing was."""
    marked = [
        *(f"+{name}" for name in after if name not in before),
        *(f"-{name}" for name in before if name not in after),
        *(f"~{name}" for name in after if name in before and before[name] != after[name]),
    ]
    more = len(marked) - MAX_SHOWN_NAMES
    shown = " ".join(marked[:MAX_SHOWN_NAMES])
    return f"{shown} and {more} more" if more > 0 else shown


def fingerprints(paths: Iterable[Path]) -> dict[str, FileStamp]:
    """How files are now, by their paths."""
    return {str(path): _fingerprint(path) for path in paths}


def _fingerprint(path: Path) -> FileStamp:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _terminal() -> int | None:
    """The number of the terminal that we were started at; None where there is none."""
    for stream in (sys.stdin, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):
            if os.isatty(stream.fileno()):
                return stream.fileno()
    return None


def _is_open(terminal: int) -> bool:
    """Whether somebody still sits at a terminal: one that was hung up answers nothing."""
    try:
        termios.tcgetattr(terminal)
    except (termios.error, OSError):
        return False
    return True
