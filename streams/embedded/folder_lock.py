"""The lock on a data folder: one `wiredesk run` at a time, as two would each do all of the work.

The kernel holds it for the life of the process and frees it however that ends; the file itself stays, and names the
holder: its process, its host (of two containers on one volume each is process 1), since when it runs, and its list of
feeds. Commands that work beside a running pipeline (`wiredesk dlq`, `backfill`) don't take it: what they write is one
transaction.

Some network file systems lock nothing. There each `run` signs the data file as its writer (`Log.become_writer`), and
whoever finds another's signature in a transaction ends.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import msgspec

from config import Misconfigured
from processors.times import to_timestamp
from sinks.stories import now_ms
from streams.embedded.data_file import explain_error, make_data_folder

LOCK_FILE: Final = "wiredesk.lock"  # in the data folder
# For the one before us, which a supervisor has told to end. Shorter refuses a restart that overlaps; longer keeps an
# operator waiting who has started it twice.
HANDOVER_TIMEOUT_S: Final = 5.0
LOOK_AGAIN_S: Final = 0.1  # between two tries: the kernel tells nobody when a lock is free


MAX_HOLDER_BYTES: Final = 8192  # of what the file says: a path has 4,096 at the most


class LockHolder(msgspec.Struct, frozen=True):
    """Who runs on a data folder. `since` is an RFC 3339 time, `feeds` the list that is polled, empty for none."""

    pid: int
    host: str
    since: str
    feeds: str = ""

    def __str__(self) -> str:
        """In words, for a line that the operator reads."""
        return f"process {self.pid} on {self.host} (since {self.since})"


class FolderLock:
    """The right to run on a data folder, as an asynchronous context manager."""

    def __init__(self, folder: Path, feeds: str = "") -> None:
        """Nothing is locked before it is entered; `feeds` is the list that commands look for (`find_holder`)."""
        self._path = folder / LOCK_FILE
        self._feeds = feeds
        self._number: int | None = None

    async def __aenter__(self) -> Self:
        """Take the lock.

        Raises:
            Misconfigured: another process has it, or the folder can't be written.
        """
        try:
            make_data_folder(self._path.parent)
            number = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise explain_error(self._path, error) from error
        try:
            await self._lock(number)
            os.ftruncate(number, 0)
            holder = LockHolder(os.getpid(), socket.gethostname(), to_timestamp(now_ms()), self._feeds)
            os.pwrite(number, msgspec.json.encode(holder) + b"\n", 0)
        except OSError as error:
            os.close(number)
            raise explain_error(self._path, error) from error
        except BaseException:
            os.close(number)
            raise
        self._number = number
        return self

    async def __aexit__(self, *_: object) -> None:
        """Free it."""
        if self._number is not None:
            os.close(self._number)
            self._number = None

    async def _lock(self, number: int) -> None:
        deadline = asyncio.get_running_loop().time() + HANDOVER_TIMEOUT_S
        while True:
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if asyncio.get_running_loop().time() > deadline:
                    raise Misconfigured(self._refusal(number)) from None
                await asyncio.sleep(LOOK_AGAIN_S)
            else:
                return

    def _refusal(self, number: int) -> str:
        holder = _read_holder(number) or "another process"
        return f"{self._path.parent}: {holder} runs on this data folder already; stop it, or name another folder with --data"


def find_holder(folder: Path) -> LockHolder | None:
    """Who runs on a data folder now; None where nobody does, or nothing can be read of it."""
    try:
        number = os.open(folder / LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(number, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_holder(number)
    except OSError:
        return None
    finally:
        os.close(number)
    return None


def _read_holder(number: int) -> LockHolder | None:
    with suppress(msgspec.MsgspecError, OSError, UnicodeDecodeError):
        return msgspec.json.decode(os.pread(number, MAX_HOLDER_BYTES, 0), type=LockHolder)
    return None
