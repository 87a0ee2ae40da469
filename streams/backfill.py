"""A back-fill: files of old news as raw items of their own topic, which yields to live traffic and alerts nobody.

The same file gives the same items on every run (an item counts as received when its file was last changed), and the
pipeline knows a repeat by its uri and version. So a back-fill that was cut off is simply run again; a journal spares
it what was sent before.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import orjson
from msgspec.structs import replace

from config import Misconfigured
from processors.errors import Rejected, TooLarge, Unreadable
from processors.model.event import RawItem
from processors.times import to_timestamp
from streams.files import (
    STDIN_PATH,
    UNFINISHED_SUFFIXES,
    Files,
    RefusedPath,
    printable_path,
    unreadable_error,
)
from streams.messages import Message, raw_message
from streams.process import Input, read_inputs
from streams.topology import BACKFILL

# Records that may wait behind the first step before it takes more of a back-fill. With few, a back-fill is slow; a live
# story waits for all that are before it.
MAX_RECORDS_AHEAD: Final = 100
# Written at once. Fewer items make more transactions; more are sent again after a crash, and wait longer to be seen.
MAX_BATCH_ITEMS: Final = 200
MAX_BATCH_BYTES: Final = 8 * 1024 * 1024  # some large items fill a batch: all of it is held in memory


class Archive(Protocol):
    """The topic of the back-fill, in either runtime."""

    limit: int  # bytes of a message

    def append(self, messages: Sequence[Message]) -> None:
        """Return when they are safe."""

    def waiting(self) -> int:
        """How many records the pipeline has not taken."""

    def close(self) -> None:
        """Hang up."""


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file, or standard input, as it stands now. `modified` is in milliseconds since the epoch."""

    path: str
    size: int
    modified: int

    @property
    def key(self) -> tuple[str, int, int]:
        """What a journal knows it by."""
        return printable_path(self.path), self.size, self.modified


@dataclass(slots=True)
class SentCounts:
    """What became of a back-fill so far; `sent_before` counts the items that the journal spared."""

    files: int = 0
    items: int = 0
    rejected: int = 0
    sent_before: int = 0


class Journal:
    """A file that remembers how many items of which source were sent; a line a batch and source."""

    def __init__(self, path: Path | None) -> None:
        """None: remember nothing.

        Raises:
            Misconfigured: the file can't be read or written, or is no journal.
        """
        self._path = path
        self._sent: dict[tuple[str, int, int], int] = {}
        if path is None:
            return
        try:
            with path.open("ab+") as stream:
                stream.seek(0)
                for line in stream:
                    self._remember(line)
        except OSError as error:
            raise Misconfigured(f"{path}: {error.strerror}; name a file that can be written") from error
        except (ValueError, LookupError, TypeError) as error:
            raise Misconfigured(f"{path}: no journal of a back-fill: {error}") from error

    def sent_items(self, source: InputFile) -> int:
        """How many items of the source were sent; 0 where it has changed since."""
        return self._sent.get(source.key, 0)

    def remember(self, reached: dict[InputFile, int]) -> None:
        """Remember how far sources were sent."""
        if self._path is None:
            return
        counts = {source.key: number for source, number in reached.items() if source.path != STDIN_PATH}
        self._sent |= counts
        lines = [orjson.dumps([*key, number]) + b"\n" for key, number in counts.items()]
        with self._path.open("ab") as stream:
            stream.writelines(lines)
            stream.flush()
            os.fsync(stream.fileno())

    def _remember(self, line: bytes) -> None:
        if not line.endswith(b"\n"):
            return  # a line that a crash cut off
        path, size, modified, number = orjson.loads(line)
        self._sent[path, size, modified] = int(number)


@dataclass(slots=True)
class Backfill:
    """Sends sources to an archive, a batch at a time. `template` has what is known of every item: feed, language."""

    archive: Archive
    template: RawItem
    journal: Journal
    limit: int
    reject: Callable[[str, int | None, Rejected], None]
    sent: SentCounts = field(default_factory=SentCounts)
    _messages: list[Message] = field(default_factory=list)
    _reached: dict[InputFile, int] = field(default_factory=dict)

    def run(self, sources: Iterable[InputFile | RefusedPath], standard: BinaryIO) -> Iterator[SentCounts]:
        """Send all items in their order; yields how far it is after each batch."""
        for source in sources:
            if isinstance(source, RefusedPath):
                self._add(Input(printable_path(source.path), None, source.error))
                continue
            before = self.journal.sent_items(source)
            received = to_timestamp(source.modified)
            inputs = read_inputs(
                [source.path], standard, now=received, format_=self.template.format, limit=self.limit
            )
            for number, piece in enumerate(inputs, 1):
                if number <= before:
                    self.sent.sent_before += 1
                    continue
                self._add(piece)
                if not isinstance(piece.item, Unreadable):  # which the next run may find mended
                    self._reached[source] = number
                if self._is_full():
                    yield self._flush()
            self.sent.files += 1
        yield self._flush()

    def _add(self, piece: Input) -> None:
        message = self._message(piece.item)
        if isinstance(message, Message):
            self._messages.append(message)
        else:
            self.sent.rejected += 1
            self.reject(piece.path, piece.line, message)

    def _message(self, item: RawItem | Rejected) -> Message | Rejected:
        if isinstance(item, Rejected):
            return item
        complete = replace(
            self.template,
            payload=item.payload,
            received=item.received,
            input=item.input,
            format=item.format,
        )
        message = raw_message(complete, BACKFILL.name)
        if len(message.value) > self.archive.limit:
            return TooLarge(f"more than kafka.max_message_bytes ({self.archive.limit:,}); raise it")
        return message

    def _is_full(self) -> bool:
        return (
            len(self._reached) >= MAX_BATCH_ITEMS
            or len(self._messages) >= MAX_BATCH_ITEMS
            or (sum(len(message.value) for message in self._messages) >= MAX_BATCH_BYTES)
        )

    def _flush(self) -> SentCounts:
        if self._messages:
            self.archive.append(self._messages)
        self.journal.remember(self._reached)
        self.sent.items += len(self._messages)
        self._messages, self._reached = [], {}
        return self.sent


def find_input_files(
    paths: Sequence[str], now: int, received: int | None
) -> Iterator[InputFile | RefusedPath]:
    """The files that paths lead to, as `streams.files` finds them, and what it refuses.

    `now` and `received` are in milliseconds: standard input counts as received now, a file when it was changed;
    `received` overrides both. Files that are still being written, by their names, are left out of folders.
    """
    for path in Files(paths, unfinished=UNFINISHED_SUFFIXES):
        if path == STDIN_PATH:
            yield InputFile(path, 0, now if received is None else received)
        elif isinstance(path, RefusedPath):
            yield path
        else:
            yield _source(path, received)


def _source(path: str, received: int | None) -> InputFile | RefusedPath:
    try:
        status = Path(path).stat()
    except OSError as error:
        return RefusedPath(path, unreadable_error(path, error))
    changed = int(status.st_mtime * 1000) if received is None else received
    return InputFile(path, status.st_size, changed)
