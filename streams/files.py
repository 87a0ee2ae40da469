"""The files that paths lead to: what ``wiredesk process`` and ``wiredesk backfill`` read, in the same order each time.

A folder stands for all files below it, those of each folder and the folders in it sorted by name, hidden ones left
out. No file is read twice because two ways lead to it (links, a folder and one in it). Pipes, and links that lead back to a
folder above them, are refused.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from processors.errors import Unreadable

STDIN_PATH: Final = "-"  # stands for standard input
UNFINISHED_SUFFIXES: Final = (".tmp", ".part", ".filepart", ".crdownload")  # files that are still written

# Opening must neither wait for a writer nor make a terminal ours.
FILE_FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
UNPRINTABLE_CHARACTER: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

FileIdentity = tuple[int, int]  # device and inode: what a file is, whatever its names are


@dataclass(frozen=True, slots=True)
class RefusedPath:
    """A path that is not read, and why."""

    path: str
    error: Unreadable


class Files:
    """The files of `paths`, in order. One that is named itself is read as often as it is named."""

    def __init__(
        self,
        paths: Sequence[str],
        *,
        outputs: Collection[FileIdentity] = (),
        unfinished: tuple[str, ...] = (),
    ) -> None:
        """`outputs` are files that the caller writes; `unfinished` are ends of names. Folders leave both out."""
        self._paths = paths
        self._outputs = frozenset(outputs)
        self._unfinished = unfinished
        self._named: set[FileIdentity] = set()
        self._below: set[FileIdentity] = set()
        self.again = 0  # files and folders met once more by another way, and left out

    def __iter__(self) -> Iterator[str | RefusedPath]:
        """The path of each file as it was reached; `STDIN_PATH` as it is."""
        for path in self._paths:
            if path == STDIN_PATH:
                yield path
                continue
            try:
                status = Path(path).stat()
            except OSError as error:
                yield RefusedPath(path, unreadable_error(path, error))
                continue
            if stat.S_ISDIR(status.st_mode):
                yield from self._walk(Path(path))
            elif file_identity(status) in self._below:
                self.again += 1
            else:
                self._named.add(file_identity(status))
                yield path

    def _walk(self, folder: Path) -> Iterator[str | RefusedPath]:
        """The files below a folder. Each path that waits has the identities of the folders above it."""
        waiting = [(folder, _parents(folder))]
        while waiting:
            path, above = waiting.pop()
            try:
                status = path.stat()
                if self._is_file(status, above):
                    yield str(path)
                elif stat.S_ISDIR(status.st_mode):
                    inside = above | {file_identity(status)}
                    waiting += [(inner, inside) for inner in self._list_folder(path, status)]
            except OSError as error:
                yield RefusedPath(str(path), unreadable_error(str(path), error))
            except Unreadable as error:
                yield RefusedPath(str(path), error)

    def _is_file(self, status: os.stat_result, above: frozenset[FileIdentity]) -> bool:
        """Whether it is a file that is to be read now.

        Raises:
            Unreadable: it leads back to a folder above it, or is neither file nor folder.
        """
        if file_identity(status) in above:
            raise Unreadable("a link that leads back to a folder above it; remove it")
        if stat.S_ISDIR(status.st_mode):
            return False
        if not stat.S_ISREG(status.st_mode):
            raise irregular_error(status.st_mode)
        return file_identity(status) not in self._outputs and self._is_new(status)

    def _list_folder(self, folder: Path, status: os.stat_result) -> list[Path]:
        """The paths in a folder, last name first; none where the folder was met before."""
        if not self._is_new(status):
            return []
        wanted = (path for path in folder.iterdir() if self._is_wanted(path.name))
        return sorted(wanted, key=lambda path: path.name, reverse=True)

    def _is_new(self, status: os.stat_result) -> bool:
        identity = file_identity(status)
        if identity in self._below or identity in self._named:
            self.again += 1
            return False
        self._below.add(identity)
        return True

    def _is_wanted(self, name: str) -> bool:
        return not name.startswith(".") and not name.lower().endswith(self._unfinished)


def file_identity(status: os.stat_result) -> FileIdentity:
    """The identity of a file, by which it is recognised under any name."""
    return status.st_dev, status.st_ino


def open_regular(path: str | Path) -> BinaryIO:
    """Open a file for reading, without waiting for whoever writes to a pipe that has taken its place.

    Raises:
        OSError: it can't be opened.
        Unreadable: it is no regular file.
    """
    number = os.open(path, FILE_FLAGS)
    mode = os.fstat(number).st_mode
    if not stat.S_ISREG(mode):
        os.close(number)
        raise irregular_error(mode)
    return open(number, "rb")  # noqa: PTH123 -- the caller closes it


def printable_path(path: str) -> str:
    """A path as text on one line; bytes that are not UTF-8, control characters and those that turn text are escaped."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return UNPRINTABLE_CHARACTER.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def irregular_error(mode: int) -> Unreadable:
    """Why what is no regular file is not read."""
    if stat.S_ISLNK(mode):
        return Unreadable("a symbolic link; put the file itself there")
    return Unreadable("neither file nor folder but a pipe, socket or device; save what it gives as a file")


def unreadable_error(path: str, error: OSError) -> Unreadable:
    """Why a path can't be read, and what to do."""
    if error.errno == errno.ELOOP:
        return Unreadable("a symbolic link that leads back to itself; remove it")
    if error.errno == errno.ENOENT and Path(path).is_symlink():
        return Unreadable("a symbolic link to nothing; mend or remove it")
    if error.errno in {errno.EACCES, errno.EPERM}:
        return Unreadable("permission denied; allow this user to read it")
    return Unreadable(f"{error.strerror or error}; check it, and run the command again")


def _parents(folder: Path) -> frozenset[FileIdentity]:
    """The folders that a folder is in, to the root: a link below it to one of them would lead back to it."""
    return frozenset(file_identity(parent.stat()) for parent in folder.resolve().parents)
