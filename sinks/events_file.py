"""The events file: each event, and each possible gap of a feed, as a line of JSON (``--events``, ``[sinks.events]``)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from config.settings import Settings
from processors.errors import Transient
from processors.model.codec import encode
from processors.model.event import Event, Gap
from sinks.ports import Sink, WriteResult


def load_sink(settings: Settings) -> EventsFile | None:
    """The file of the setting ``sinks.events.file``; None where that is empty."""
    path = settings.sinks.events.file
    return EventsFile(Path(path)) if path else None


class EventsFile(Sink):
    """Appends lines. The position is the file's length in bytes: what stands behind it is cut off by `open`."""

    def __init__(self, path: Path) -> None:
        """The file and its folder are made by `open`."""
        self._path = path
        self.target = str(path.resolve())

    async def open(self, position: int | None) -> int:
        """Cut the file to what was committed."""
        return await asyncio.to_thread(self._append, b"", position)

    async def write(self, events: Sequence[Event | Gap]) -> WriteResult:
        """Append the events, and return once they are on the disk."""
        lines = b"".join(encode(event) + b"\n" for event in events)
        return WriteResult([None] * len(events), await asyncio.to_thread(self._append, lines))

    async def close(self) -> None:
        """Nothing stays open."""

    def _append(self, lines: bytes, length: int | None = None) -> int:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as stream:
                if length is not None and stream.tell() > length:
                    stream.truncate(length)
                    stream.seek(length)
                stream.write(lines)
                stream.flush()
                os.fsync(stream.fileno())
                return stream.tell()
        except OSError as error:
            raise Transient(
                f"{self._path}: {error.strerror}; make room, or let this user write it"
            ) from error
