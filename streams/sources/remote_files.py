"""Folders on file servers: which files are finished, each once, and what becomes of one that is safe.

A file is known by its name, size and time: one that is written anew is another item. Only regular files of the folder are
taken, never through a link. A receipt says which file is meant: one that was written anew meanwhile is not deleted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, Final, Literal, Protocol

import orjson
from msgspec import Meta, Struct

from processors.errors import Empty, TooLarge
from streams.files import UNFINISHED_SUFFIXES, printable_path
from streams.sources.memory import MAX_KEYS
from streams.sources.ports import (
    MAX_BATCH_BYTES,
    IsKnown,
    SourceBatch,
    SourceFault,
    SourceItem,
    SourceLimits,
)

MAX_FILES: Final = 100_000  # of one folder that are looked at; a listing of more is megabytes at each look
MAX_NAMESAKES: Final = 1000  # files of one name in the folder of those that are done


class FolderOptions(Struct, frozen=True, kw_only=True):
    """The keys of any folder."""

    patterns: tuple[str, ...] = ("*",)
    # What becomes of a file that is safe: it stays, is deleted, or is moved into the folder `done`.
    after: Literal["keep", "delete", "move"] = "keep"
    done: str = "done"
    # How a file is known to be finished: its size and time are the same at two looks; it is `min_age_s` old; a file of its
    # name and the suffix `marker` lies beside it; or it always is, as where writers rename.
    finished: Literal["size", "age", "marker", "always"] = "size"
    min_age_s: Annotated[float, Meta(ge=0)] = 60.0
    marker: str = ".done"
    connections: Annotated[int, Meta(ge=1, le=64)] = 8


class FileOptions(FolderOptions, frozen=True, kw_only=True):
    """The keys of a folder on a file server."""

    host: str
    user: str = ""
    path: str = "."


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One regular file of the folder. `modified` is in whole seconds since the epoch, `tag` what a server knows its bytes by."""

    name: str
    size: int
    modified: int
    tag: str = ""

    @property
    def key(self) -> str:
        """What tells it from a file of the same name."""
        return f"{self.name}\n{self.size}\n{self.modified}\n{self.tag}"


class FileServer(Protocol):
    """A server and one folder on it. Each method raises `SourceFault`; names are those of the folder."""

    max_parallel: int  # reads at once
    has_folders: bool  # whether names with a slash lie in other folders

    async def open(self) -> None:
        """Connect and log in."""

    async def close(self) -> None:
        """Disconnect."""

    async def list_files(self) -> Sequence[RemoteFile]:
        """The regular files of the folder, links left out."""

    async def read(self, name: str, limit: int) -> bytes | None:
        """The first `limit` bytes of a file; None where it is gone."""

    async def find(self, name: str) -> RemoteFile | None:
        """A file by its name; None where it is gone. The name may begin with the folder of those that are done."""

    async def delete(self, name: str) -> None:
        """Delete a file; one that is gone is no fault."""

    async def move(self, name: str, target: str) -> None:
        """Rename a file into a folder of the folder, which is made where it is missing."""


class FolderSource:
    """A folder on a file server (`streams.sources.ports.Source`)."""

    def __init__(self, options: FolderOptions, server: FileServer, limits: SourceLimits) -> None:
        """Nothing is connected yet."""
        self._options, self._server, self._limits = options, server, limits
        self._seen: dict[str, str] = {}  # keys at the last look, by name
        self._left: list[
            RemoteFile
        ] = []  # finished at the last look, and not in its batch: the next one begins with them

    async def open(self) -> None:
        """Connect and log in."""
        await self._server.open()

    async def close(self) -> None:
        """Disconnect."""
        await self._server.close()

    async def items(self, cursor: str, is_known: IsKnown) -> SourceBatch:
        """The finished files that are not known, oldest first. There is no cursor: names, sizes and times are it."""
        if self._left:  # a folder is not listed anew for each batch
            return await self._next_batch(cursor, self._left, [])
        listed = list(await self._server.list_files())
        if len(listed) > MAX_FILES:
            raise SourceFault("too_large", f"over {MAX_FILES} files in the folder; delete or move old ones")
        names = {file.name for file in listed}
        wanted = sorted(
            (file for file in listed if self._is_wanted(file)), key=lambda file: (file.modified, file.name)
        )
        if self._options.after == "keep" and len(wanted) > MAX_KEYS:
            raise SourceFault(
                "too_large", f"over {MAX_KEYS} files stay in the folder; set `after`, or move old ones away"
            )
        finished = [file for file in wanted if self._is_finished(file, names)]
        self._seen = {file.name: file.key for file in wanted}
        known = [file for file in wanted if is_known(file.key)]
        waiting = [file for file in finished if not is_known(file.key)]
        return await self._next_batch(cursor, waiting, known)

    async def _next_batch(
        self, cursor: str, waiting: Sequence[RemoteFile], read_before: Sequence[RemoteFile]
    ) -> SourceBatch:
        """A batch of files that wait, with receipts of those that are `read_before`."""
        self._left = []
        items, taken = await self._read_files(waiting)
        receipts = (
            [_receipt(file) for file in (*read_before, *taken)] if self._options.after != "keep" else []
        )
        done = set(taken)
        left = [file for file in waiting if file not in done]
        more = bool(left) and bool(items)
        self._left = left if more else []
        return SourceBatch(items, cursor, receipts, more=more, present=[file.key for file in read_before])

    async def commit(self, receipts: Sequence[str]) -> None:
        """Delete or move the files of receipts, but for those that were written anew since."""
        step = self._server.max_parallel
        for start in range(0, len(receipts), step):
            await asyncio.gather(*(self._acknowledge(receipt) for receipt in receipts[start : start + step]))

    async def _acknowledge(self, receipt: str) -> None:
        name, size, modified, tag = orjson.loads(receipt)
        file = RemoteFile(_restore(name), size, modified, tag)
        if self._options.after == "keep" or await self._server.find(file.name) != file:
            return
        if self._options.after == "delete":
            await self._server.delete(file.name)
        else:
            await self._server.move(file.name, await self._free_name(file.name))
        if self._options.finished == "marker":
            await self._server.delete(file.name + self._options.marker)

    async def _free_name(self, name: str) -> str:
        """A name in the folder of those that are done that nobody has."""
        for number in range(MAX_NAMESAKES):
            target = f"{self._options.done}/{name}{f'.{number}' if number else ''}"
            if await self._server.find(target) is None:
                return target
        raise SourceFault(
            "http_4xx", f"{MAX_NAMESAKES} files of one name are done; clear {self._options.done}"
        )

    def _is_wanted(self, file: RemoteFile) -> bool:
        options, name = self._options, file.name
        is_marker = options.finished == "marker" and name.endswith(options.marker)
        is_odd = name.startswith(".") or "\0" in name or (self._server.has_folders and "/" in name)
        is_unfinished = name.lower().endswith(UNFINISHED_SUFFIXES)
        return not (is_marker or is_odd or is_unfinished) and any(
            fnmatchcase(name, pattern) for pattern in options.patterns
        )

    def _is_finished(self, file: RemoteFile, names: set[str]) -> bool:
        options = self._options
        if options.finished == "marker":
            return file.name + options.marker in names
        if options.finished == "age":
            return time.time() - file.modified >= options.min_age_s
        return options.finished == "always" or self._seen.get(file.name) == file.key

    async def _read_files(self, files: Sequence[RemoteFile]) -> tuple[list[SourceItem], list[RemoteFile]]:
        """Read files until a batch is full: items, and the files that they are of."""
        items: list[SourceItem] = []
        taken: list[RemoteFile] = []
        size, step = 0, self._server.max_parallel
        for start in range(0, min(len(files), self._limits.max_items), step):
            group = files[start : start + step]
            results = await asyncio.gather(*(self._read_file(file) for file in group), return_exceptions=True)
            for file, result in zip(group, results, strict=True):
                if isinstance(result, SourceFault) and items:
                    return items, taken  # what is there goes first
                if isinstance(result, BaseException):
                    if isinstance(result, SourceFault) and result.item is None:
                        result.item = SourceItem(file.key, b"", printable_path(file.name))
                    raise result
                if result is not None:
                    items.append(result)
                    taken.append(file)
                    size += len(result.payload)
            if size > MAX_BATCH_BYTES:
                break
        return items, taken

    async def _read_file(self, file: RemoteFile) -> SourceItem | None:
        """A file as an item; None where it is gone or still written. A large one is not read."""
        limit, shown = self._limits.max_item_bytes, printable_path(file.name)
        if file.size > limit:
            fault = TooLarge(f"{shown}: {file.size} bytes, over the {limit} of poll.max_body_bytes")
            return SourceItem(file.key, b"", shown, fault=fault)
        payload = await self._server.read(file.name, limit + 1)
        if payload is None or len(payload) != file.size:
            return None
        if not payload.strip():
            return SourceItem(file.key, payload, shown, fault=Empty(f"{shown}: nothing in it"))
        return SourceItem(file.key, payload, shown)


def _receipt(file: RemoteFile) -> str:
    """Which file is meant, as text; names in other encodings too."""
    name = file.name.encode("utf-8", "surrogateescape").decode("latin-1")
    return orjson.dumps([name, file.size, file.modified, file.tag]).decode()


def _restore(name: str) -> str:
    return str(name).encode("latin-1").decode("utf-8", "surrogateescape")
