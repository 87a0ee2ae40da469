"""The deduplicator's tables in child processes, one a shard: ``deduplicate.shards``.

The parent scores stories and keeps their records; it sends each child the places of a block of stories that lie in
the child's part of a table, to all children at once, and puts together what they answer. Children are started with the
first table, so that a step that never sees a story has none. They end when the step is closed or dropped, and when
their parent dies: their socket then closes, which tells of the parent's end whichever of its threads started them
(``PR_SET_PDEATHSIG`` goes by that thread).
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import weakref
from collections.abc import Sequence
from typing import Final

import numpy as np

from processors.deduplicate.tables import Answer, Kind, Places, Sharded, Table, Values
from streams.children import BrokenShards, launched
from streams.shard_server import CLEAR, HALVE, KINDS, PUT, REQUEST, STRETCH, TAKE

PATIENCE_S: Final = 5.0  # for a child that was told to end, before it is killed


class Shards:
    """The children of one deduplicator. Not thread-safe, as the deduplicator is not."""

    def __init__(self, number: int) -> None:
        """So many children, from the first table on."""
        self._number = number
        self._tables = 0
        self._children: list[Child] = []
        self._end = weakref.finalize(self, _end, self._children)

    def table(self, size: int, kind: Kind) -> Table:
        """A table of so many places, all zero, with a part in each child."""
        if not self._end.alive:
            raise BrokenShards("the shards are closed")
        if not self._children:
            self._children += [Child() for _ in range(self._number)]
        number, self._tables = self._tables, self._tables + 1
        return Sharded(size, kind, [Distant(child, number, kind) for child in self._children])

    def close(self) -> None:
        """End the children; tables are of no use any more."""
        self._end()


class Child:
    """A process with a shard, and the line to it."""

    def __init__(self) -> None:
        """Start it, without waiting until it is up."""
        self._line, theirs = socket.socketpair()
        self._process = launched("streams.shard_server", (), [theirs])

    def tell(self, request: bytes, *numbers: memoryview) -> None:
        """Send a request and its numbers.

        Raises:
            BrokenShards: nobody is there any more.
        """
        try:
            self._line.sendall(b"".join((request, *numbers)))
        except OSError as gone:
            raise self._broken() from gone

    def hear(self, count: int, kind: Kind) -> Values:
        """So many numbers that the child sends.

        Raises:
            BrokenShards: nobody is there any more.
        """
        values: Values = np.empty(count, kind)
        room = values.data.cast("B")
        while room:
            try:
                got = self._line.recv_into(room)
            except OSError as gone:
                raise self._broken() from gone
            if not got:
                raise self._broken()
            room = room[got:]
        return values

    def hang_up(self) -> None:
        """Let the child end, and whoever waits for it."""
        with contextlib.suppress(OSError):  # it may be gone
            self._line.shutdown(socket.SHUT_RDWR)
        self._line.close()

    def wait(self) -> None:
        """Return when it has ended, by force if need be."""
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _broken(self) -> BrokenShards:
        return BrokenShards(
            f"the process {self._process.pid} with a shard of the deduplicator's tables is gone"
        )


class Distant:
    """The part of a table that a child holds."""

    __slots__ = ("_child", "_kind", "_number")

    def __init__(self, child: Child, number: int, kind: Kind) -> None:
        """`number` is the table's in the child, which has to be told to clear it first."""
        self._child, self._number, self._kind = child, number, kind

    def clear(self, size: int) -> None:
        """Begin anew with so many places."""
        self._child.tell(self._request(CLEAR, size))

    def ask(self, places: Places) -> Answer:
        """Send the places now, read the values when they are called for."""
        self._child.tell(self._request(TAKE, len(places)), places.data)
        return lambda: self._child.hear(len(places), self._kind)

    def put(self, places: Places, values: Values) -> None:
        """Replace what stands at some places."""
        numbers = np.ascontiguousarray(values, self._kind)
        self._child.tell(self._request(PUT, len(places)), places.data, numbers.data)

    def halve(self) -> None:
        """Halve every number."""
        self._child.tell(self._request(HALVE, 0))

    def stretch(self) -> None:
        """Double the places."""
        self._child.tell(self._request(STRETCH, 0))

    def _request(self, asked: int, count: int) -> bytes:
        return REQUEST.pack(asked, KINDS.index(self._kind), self._number, count)


def _end(children: Sequence[Child]) -> None:
    for child in children:
        child.hang_up()
    for child in children:
        child.wait()
