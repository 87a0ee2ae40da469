"""The drop folder: wire files that other programs put there, one raw item each.

A file is taken once: renamed into ``.claimed/`` (which only one poller can do), read under a lock, published, and
moved to ``done/``, or to ``failed/`` beside a note that says why. A claim that a crash left is taken up again; its
`received` is the time of the claim, so that a repeat is the same raw item. Writers put files in by renaming them;
names that begin with a dot or say that a file is unfinished (``.tmp``, ``.part``) are left alone.
"""

from __future__ import annotations

import asyncio
import fcntl
import mimetypes
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import quote

import structlog

from config import Misconfigured
from config.settings import Poll
from processors.errors import Empty, Rejected, TooLarge
from processors.model.event import RawItem
from processors.times import to_timestamp
from streams.files import UNFINISHED_SUFFIXES, printable_path, unreadable_error
from streams.pollers.ports import RawItemOutlet

DROP_FEED: Final = "drop"
log = structlog.get_logger("wiredesk.drop")

RetryWrite = Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]


class DropFolder:
    """One folder and the three in it."""

    def __init__(self, settings: Poll, outlet: RawItemOutlet) -> None:
        """Make the folders.

        Raises:
            Misconfigured: the folder can't be made or written.
        """
        self._root = Path(settings.drop_folder)
        self._limit = settings.max_body_bytes
        self._outlet = outlet
        self._claimed, self._done, self._failed = (
            self._root / name for name in (".claimed", "done", "failed")
        )
        try:
            for folder in (self._claimed, self._done, self._failed):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Misconfigured(f"poll.drop_folder: {self._root}: {error.strerror}") from error

    async def scan(self, retry: RetryWrite) -> int:
        """Take up left claims, then every file that waits; how many were handled."""
        handled = 0
        for claim in self._claims():
            with _open_locked(claim, self._limit + 1) as content:
                if content is not None:
                    await self._hand_on(claim, content, retry)
                    handled += 1
        return handled

    def _claims(self) -> Iterator[Path]:
        """Files that this poller may read: claims that a crash left, then new ones."""
        yield from sorted(self._claimed.iterdir())
        for path in sorted(self._root.iterdir()):
            if (
                path.name.startswith(".")
                or path.name.lower().endswith(UNFINISHED_SUFFIXES)
                or not path.is_file()
            ):
                continue
            claim = _free_path(self._claimed / path.name)
            try:
                path.rename(claim)
            except FileNotFoundError:
                continue  # another poller was faster
            yield claim

    async def _hand_on(self, claim: Path, content: bytes | OSError, retry: RetryWrite) -> None:
        """Publish a claimed file and move it away."""
        item = self._item(claim, b"" if isinstance(content, OSError) else content)
        error = (
            unreadable_error(str(claim), content)
            if isinstance(content, OSError)
            else self._find_fault(item, claim)
        )
        if error:
            await retry(lambda: self._outlet.reject(item, error))
        else:
            await retry(lambda: self._outlet.publish([item]))
        self._move_away(claim, error)
        log.info("a file was taken in", file=printable_path(claim.name), error=error.type if error else None)

    def _item(self, claim: Path, payload: bytes) -> RawItem:
        return RawItem(
            payload=payload,
            received=to_timestamp(int(claim.lstat().st_ctime * 1000)),
            feed=DROP_FEED,
            url=f"file:{quote(os.fsencode(claim.name))}",
            media_type=mimetypes.guess_type(claim.name)[0],
            outcome="new",
            mixed=True,
        )

    def _move_away(self, claim: Path, error: Rejected | None) -> None:
        moved = _free_path((self._failed if error else self._done) / claim.name)
        if error:
            moved.with_name(moved.name + ".error.txt").write_text(f"{error.type}: {error}\n", "utf-8")
        claim.rename(moved)

    def _find_fault(self, item: RawItem, claim: Path) -> Rejected | None:
        if len(item.payload) > self._limit:
            size = claim.stat().st_size
            return TooLarge(
                f"{printable_path(claim.name)}: {size} bytes, over the {self._limit} of poll.max_body_bytes; raise it or split the file"
            )
        if not item.payload.strip():
            return Empty(f"{printable_path(claim.name)}: nothing in it; check the program that wrote it")
        return None


async def watch_folder(folder: DropFolder, interval: float, retry: RetryWrite, stop: asyncio.Event) -> None:
    """Scan the folder until `stop`."""
    while not stop.is_set():
        await folder.scan(retry)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), interval)


@contextmanager
def _open_locked(path: Path, max_bytes: int) -> Iterator[bytes | OSError | None]:
    """What is in a file (at most so many bytes), while it is locked, or why it can't be read.

    None where another process has it, or it is gone.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        yield error if path.is_symlink() or path.exists() else None
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield _read_bytes(file, max_bytes) if path.exists() else None


def _read_bytes(file: BinaryIO, max_bytes: int) -> bytes | OSError:
    try:
        return file.read(max_bytes)
    except OSError as error:
        return error


def _free_path(path: Path) -> Path:
    """A path that no file has: the name itself, or one with a number before its suffix."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free
