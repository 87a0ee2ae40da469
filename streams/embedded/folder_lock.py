"""The lock on a data folder: one `wiredesk run` at a time, as two would each do all of the work.

The kernel holds it for the life of the process and frees it however that ends; the file itself stays, and names the
holder. Commands that work beside a running pipeline (`wiredesk dlq`, `backfill`) don't take it: what they write is one
transaction.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from pathlib import Path
from typing import Final, Self

from config import Misconfigured
from streams.embedded.data_file import explain_error, make_data_folder

LOCK_FILE: Final = "wiredesk.lock"  # in the data folder
# For the one before us, which a supervisor has told to end. Shorter refuses a restart that overlaps; longer keeps an
# operator waiting who has started it twice.
HANDOVER_TIMEOUT_S: Final = 5.0
LOOK_AGAIN_S: Final = 0.1  # between two tries: the kernel tells nobody when a lock is free


class FolderLock:
    """The right to run on a data folder, as an asynchronous context manager."""

    def __init__(self, folder: Path) -> None:
        """Nothing is locked before it is entered."""
        self._path = folder / LOCK_FILE
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
            os.pwrite(number, f"{os.getpid()}\n".encode(), 0)
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
        holder = os.pread(number, 32, 0).decode("ascii", "replace").strip() or "another process"
        name = f"process {holder}" if holder.isdecimal() else holder
        return f"{self._path.parent}: {name} runs on this data folder already; stop it, or name another folder with --data"
