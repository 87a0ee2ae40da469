"""The drop folder: wire files that other programs put there, one raw item each.

A file is taken once: renamed into ``.claimed/`` (which only one poller can do), read under a lock, published, and
moved to ``done/``, or to ``failed/`` beside a note that says why nothing in it can be read. A claim that a crash left is taken up again; its
`received` is the time of the claim, so that a repeat is the same raw item. Writers put files in by renaming them;
names that begin with a dot or say that a file is unfinished (``.tmp``, ``.part``) are left alone.

Whoever may write into the folder may be hostile. Only regular files are opened, never through a link, and never so that
opening waits. What is odd about one file concerns that file; where the folder itself can't be used, it is waited for.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import mimetypes
import os
import stat
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePath
from typing import Final, TypeVar
from urllib.parse import quote

import structlog

from config import Misconfigured
from config.settings import Normalise, Poll
from processors.errors import Empty, Rejected, TooLarge, Unreadable
from processors.model.event import RawItem
from processors.times import to_timestamp
from streams.files import (
    FILE_FLAGS,
    UNFINISHED_SUFFIXES,
    FileIdentity,
    file_identity,
    irregular_error,
    printable_path,
    unreadable_error,
)
from streams.pollers.ports import RawItemOutlet
from streams.pool import BrokenPool, StepPool
from streams.settlement import LostChild

DROP_FEED: Final = "drop"
CHECK_TASK: Final = "drop"  # the name of reading a file beforehand among the pool's tasks
NOTE_SUFFIX: Final = b".error.txt"
MAX_NAME_BYTES: Final = 255  # of Linux's file systems
MAX_SUFFIX_BYTES: Final = 32  # of a name that is cut; what is longer tells no media type
# Of a file over the limit that go to the dead letters: it lies whole in ``failed/``, and a letter is kept for ever.
MAX_REJECTED_BYTES: Final = 65_536
# What is the fault of this machine or of the folder, and of no file in it.
FOLDER_ERRORS: Final = frozenset(
    {
        *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE, errno.EROFS, errno.ENOSPC, errno.EDQUOT),
        *(errno.ENOTCONN, errno.EHOSTDOWN, errno.ETIMEDOUT),
    }
)
T = TypeVar("T")
log = structlog.get_logger("wiredesk.drop")

RetryWrite = Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]
FindRefusal = Callable[[RawItem], Awaitable[Rejected | None]]


class FolderAway(Exception):
    """The folder itself can't be used now; its message says why."""


@dataclass(frozen=True, slots=True)
class ClaimedFile:
    """What is in a claimed file, or why that is no item."""

    name: str
    identity: FileIdentity
    claimed_ms: int
    payload: bytes = b""
    fault: Rejected | None = None


class DropFolder:
    """One folder and the three in it."""

    def __init__(
        self, settings: Poll, outlet: RawItemOutlet, find_refusal: FindRefusal | None = None
    ) -> None:
        """Make the folders. `find_refusal` tells why nothing in a file can be read.

        Raises:
            Misconfigured: the folder can't be made or written.
        """
        self._root = Path(settings.drop_folder)
        self._limit = settings.max_body_bytes
        self._outlet, self._find_refusal = outlet, find_refusal or _find_refusal_in_thread
        self._settled: set[FileIdentity] = set()  # handed on, but not moved away yet
        self._linked: set[FileIdentity] = set()  # files with several names, at the last scan
        self._refused: set[str] = set()  # names that can't be claimed, and were logged
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            with _open_folders(self._root):
                pass
        except OSError as error:
            raise Misconfigured(f"poll.drop_folder: {self._root}: {error.strerror}") from error

    async def scan(self, retry: RetryWrite, stop: asyncio.Event | None = None) -> int:
        """Take up left claims, then every file that waits, until `stop`; how many were handled.

        Raises:
            FolderAway: the folder, or one of the three in it, can't be used.
        """
        left, waiting = await self._in_thread(self._list_names)
        handled = 0
        for name in left:
            if stop and stop.is_set():
                break
            handled += await self._take_in(name, retry)
        for name in waiting:
            if stop and stop.is_set():
                break
            claim = await self._in_thread(partial(self._claim, name=name))
            if claim is not None:
                handled += await self._take_in(claim, retry)
        return handled

    async def _in_thread(self, call: Callable[[_Folders], T]) -> T:
        """Work on the folders beside the loop, as one on a network may not answer."""

        def run() -> T:
            with _open_folders(self._root) as folders:
                return call(folders)

        try:
            return await asyncio.to_thread(run)
        except OSError as error:
            raise FolderAway(f"{self._root}: {error.strerror or error}") from error

    def _list_names(self, folders: _Folders) -> tuple[list[str], list[str]]:
        """The names of claims that a crash left, and of files that wait."""
        left, waiting = _names_in(folders.claimed), _names_in(folders.root)
        self._refused.intersection_update(left + waiting)
        return left, [name for name in waiting if _is_finished(name)]

    def _claim(self, folders: _Folders, name: str) -> str | None:
        """The name under which a file is ours from now on; None where it is no file, or can't be moved."""
        try:
            status = os.lstat(name, dir_fd=folders.root)
            if not (stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)):
                return None
            if stat.S_ISREG(status.st_mode) and self._is_being_linked(status):
                return None
            claim = _free_name(folders.claimed, name)
            os.rename(name, claim, src_dir_fd=folders.root, dst_dir_fd=folders.claimed)
        except FileNotFoundError:
            return None  # another poller was faster
        except OSError as error:
            self._refuse(name, error)
            return None
        return claim

    def _refuse(self, name: str, error: OSError) -> None:
        """Leave a file alone that can't be moved, and say so once; raise what is not the file's fault."""
        if error.errno in FOLDER_ERRORS:
            raise error
        if name not in self._refused:
            self._refused.add(name)
            reason = error.strerror or str(error)
            log.warning("a file can't be moved and is left alone", file=printable_path(name), reason=reason)

    def _is_being_linked(self, status: os.stat_result) -> bool:
        """Whether a file has several names for the first time: writers that link and unlink give it two for a moment."""
        identity = file_identity(status)
        if status.st_nlink == 1:
            self._linked.discard(identity)
            return False
        is_first = identity not in self._linked
        self._linked.add(identity)
        return is_first

    async def _take_in(self, claim: str, retry: RetryWrite) -> bool:
        """Publish a claimed file and move it away; whether it was ours."""
        number, read = await self._in_thread(lambda folders: _read_locked(folders, claim, self._limit))
        if read is None:
            return False
        try:
            if read.fault is None and read.identity not in self._settled:
                read = replace(read, fault=await self._find_refusal(_as_item(read)))
            await self._hand_on(read, retry)
            await self._in_thread(lambda folders: self._move_away(folders, read))
        finally:
            if number is not None:
                os.close(number)
        return True

    async def _hand_on(self, read: ClaimedFile, retry: RetryWrite) -> None:
        if read.identity in self._settled:
            return
        item, fault = _as_item(read), read.fault
        if fault:
            await retry(lambda: self._outlet.reject(item, fault))
        else:
            await retry(lambda: self._outlet.publish([item]))
        self._settled.add(read.identity)
        fault_fields = {"error": fault.type} if fault else {}
        log.info("a file was taken in", file=printable_path(read.name), **fault_fields)

    def _move_away(self, folders: _Folders, read: ClaimedFile) -> None:
        target = folders.failed if read.fault else folders.done
        moved = _free_name(target, read.name, NOTE_SUFFIX if read.fault else b"")
        if read.fault:
            _write_note(target, moved, read.fault)
        try:
            os.rename(read.name, moved, src_dir_fd=folders.claimed, dst_dir_fd=target)
        except OSError as error:
            self._refuse(read.name, error)
        else:
            self._settled.discard(read.identity)


def find_refusal(item: RawItem) -> Rejected | None:
    """Why no item of a file can be read; None where one can, whatever the others are."""
    from processors.normalise import normalise  # with all readers, so only here

    limits = Normalise(languages=("en",), max_item_bytes=max(1, len(item.payload)))
    try:
        events = normalise(item, limits)
    except Rejected as error:
        return error
    refusals = [event for event in events if isinstance(event, Rejected)]
    return refusals[0] if refusals and len(refusals) == len(events) else None


def find_refusals(items: Sequence[RawItem]) -> list[Rejected | None]:
    """`find_refusal` of each item, as a task of the pool."""
    return [find_refusal(item) for item in items]


async def find_refusal_in_pool(pool: StepPool, item: RawItem) -> Rejected | None:
    """`find_refusal` in a child, which has a deadline. Our own faults are left to the first step, which sets the item aside."""
    try:
        await pool.run_task(CHECK_TASK, item)
    except Rejected as error:
        return error
    except BrokenPool:
        raise
    except LostChild:
        pass
    except Exception:
        log.exception("a bug in reading a file beforehand", file=item.url)
    return None


async def _find_refusal_in_thread(item: RawItem) -> Rejected | None:
    return await asyncio.to_thread(find_refusal, item)


async def watch_folder(
    folder: DropFolder,
    interval: float,
    retry: RetryWrite,
    stop: asyncio.Event,
    note_wait: Callable[[str | None], None] = lambda _: None,
) -> None:
    """Scan the folder until `stop`; `note_wait` is told why it can't be used, and None once it can."""
    waits_for: str | None = None
    while not stop.is_set():
        before = waits_for
        try:
            await folder.scan(retry, stop)
            waits_for = None
        except FolderAway as away:
            waits_for = str(away)
        if waits_for != before:
            if waits_for:
                log.warning("waiting for the drop folder", reason=waits_for)
            note_wait(waits_for)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), interval)


@dataclass(frozen=True, slots=True)
class _Folders:
    """The open folders: names are looked up in them, whatever their paths lead to meanwhile."""

    root: int
    claimed: int
    done: int
    failed: int


@contextmanager
def _open_folders(path: Path) -> Iterator[_Folders]:
    """Open the folder, which must be there, and the three in it, which are made where they are missing."""
    numbers = [os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)]
    try:
        for name in (".claimed", "done", "failed"):
            with suppress(FileExistsError):
                os.mkdir(name, dir_fd=numbers[0])
            status = os.lstat(name, dir_fd=numbers[0])
            if stat.S_ISLNK(status.st_mode) and status.st_uid not in {0, os.geteuid()}:
                raise OSError(errno.ELOOP, f"{name} is a link of another user; remove it")
            numbers.append(os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=numbers[0]))
        yield _Folders(*numbers)
    finally:
        for number in numbers:
            os.close(number)


def _names_in(folder: int) -> list[str]:
    return sorted(os.listdir(folder))


def _is_finished(name: str) -> bool:
    return not name.startswith(".") and not name.lower().endswith(UNFINISHED_SUFFIXES)


def _read_locked(folders: _Folders, name: str, limit: int) -> tuple[int | None, ClaimedFile | None]:
    """What is in a claim, and the open file whose lock is held; None where it is another poller's, or still written."""
    number, read = None, None
    try:
        status = os.lstat(name, dir_fd=folders.claimed)
    except FileNotFoundError:
        return None, None
    try:
        if stat.S_ISREG(status.st_mode):
            number = os.open(name, FILE_FLAGS | os.O_NOFOLLOW, dir_fd=folders.claimed)
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if number is None or _is_still_there(number, folders.claimed, name):
            read = _read_claim(number, name, status, limit)
    except (FileNotFoundError, BlockingIOError):
        pass  # another poller has it
    except OSError as error:
        if error.errno in FOLDER_ERRORS:
            raise
        read = _claimed(name, status, fault=unreadable_error(name, error))
    if read is None and number is not None:
        os.close(number)
        return None, None
    return number, read


def _is_still_there(number: int, folder: int, name: str) -> bool:
    return file_identity(os.fstat(number)) == file_identity(os.lstat(name, dir_fd=folder))


def _read_claim(number: int | None, name: str, status: os.stat_result, limit: int) -> ClaimedFile | None:
    """What is in an open file; None where somebody writes to it."""
    if number is None or not stat.S_ISREG((status := os.fstat(number)).st_mode):
        return _claimed(name, status, fault=irregular_error(status.st_mode))
    if status.st_nlink > 1:
        return _claimed(
            name, status, fault=Unreadable("a file with other names (hard links); put a copy there")
        )
    payload = _read_bytes(number, limit + 1)
    after = os.fstat(number)
    if len(payload) <= limit and (after.st_size, after.st_mtime_ns) != (len(payload), status.st_mtime_ns):
        return None
    fault = _find_fault(name, payload, status.st_size, limit)
    return _claimed(name, status, payload[:MAX_REJECTED_BYTES] if fault else payload, fault)


def _find_fault(name: str, payload: bytes, size: int, limit: int) -> Rejected | None:
    shown = printable_path(name)
    if len(payload) > limit:
        return TooLarge(
            f"{shown}: {size} bytes, over the {limit} of poll.max_body_bytes; raise it or split the file"
        )
    if not payload.strip():
        return Empty(f"{shown}: nothing in it; check the program that wrote it")
    return None


def _claimed(
    name: str, status: os.stat_result, payload: bytes = b"", fault: Rejected | None = None
) -> ClaimedFile:
    return ClaimedFile(name, file_identity(status), int(status.st_ctime * 1000), payload, fault)


def _read_bytes(number: int, max_bytes: int) -> bytes:
    pieces, left = [], max_bytes
    while left and (piece := os.read(number, min(left, 1 << 20))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _as_item(read: ClaimedFile) -> RawItem:
    return RawItem(
        payload=read.payload,
        received=to_timestamp(read.claimed_ms),
        feed=DROP_FEED,
        url=f"file:{quote(os.fsencode(read.name))}",
        media_type=mimetypes.guess_type(f"file{PurePath(read.name).suffix}")[0],
        outcome="new",
        origin=DROP_FEED,
    )


def _write_note(folder: int, name: str, fault: Rejected) -> None:
    """Say beside a failed file why; without it where there is no room."""
    note = os.fsdecode(os.fsencode(name) + NOTE_SUFFIX)
    try:
        number = os.open(note, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666, dir_fd=folder)
    except OSError as error:
        log.warning("a note can't be written", file=printable_path(name), reason=error.strerror)
        return
    with suppress(OSError), os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(f"{fault.type}: {fault}\n")


def _free_name(folder: int, name: str, note_suffix: bytes = b"") -> str:
    """A name that no file has: the name itself, or one with a number before its suffix; cut where it is too long."""
    stem, suffix = os.fsencode(name), os.fsencode(PurePath(name).suffix)
    if suffix and len(suffix) <= MAX_SUFFIX_BYTES:
        stem = stem[: -len(suffix)]
    else:
        suffix = b""
    number = 1
    while True:
        mark = b"-%d" % number if number > 1 else b""
        room = MAX_NAME_BYTES - len(mark) - len(suffix) - len(note_suffix)
        free = os.fsdecode(_cut_bytes(stem, room) + mark + suffix)
        taken = [free, os.fsdecode(os.fsencode(free) + note_suffix)] if note_suffix else [free]
        if not any(_exists(folder, one) for one in taken):
            return free
        number += 1


def _cut_bytes(text: bytes, length: int) -> bytes:
    """The beginning of a text in UTF-8, so many bytes at the most, without half a character at its end."""
    while length < len(text) and length and text[length] & 0xC0 == 0x80:
        length -= 1
    return text[:length]


def _exists(folder: int, name: str) -> bool:
    try:
        os.lstat(name, dir_fd=folder)
    except FileNotFoundError:
        return False
    return True
