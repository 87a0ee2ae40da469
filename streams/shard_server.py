"""The process that holds one shard of the deduplicator's tables; started by `streams.shards` only.

``python -m streams.shard_server SOCKET``: the number of an inherited socket. What comes over it is a `REQUEST`, whose
numbers (places, then values where some are put) follow as they lie in memory; only `TAKE` is answered, by the values
and nothing else. The process ends when the parent hangs up, which the kernel does for a parent that was killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import sys
from io import BufferedReader
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.deduplicate.tables import Kind, Places, Whole

REQUEST: Final = struct.Struct("=BBHQ")  # what is asked, the kind of the numbers, the table, how many places
CLEAR, TAKE, PUT, HALVE, STRETCH = range(5)
KINDS: Final[tuple[Kind, ...]] = (np.uint8, np.uint64)


def main() -> None:
    """Serve until the parent hangs up; the parent decides when that is, no signal of the terminal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with socket.socket(fileno=int(sys.argv[1])) as line, line.makefile("rb") as heard:
        with contextlib.suppress(EOFError, ConnectionError):
            serve(line, heard)
        os._exit(0)  # nothing is to be tidied, and the parent waits


def serve(line: socket.socket, heard: BufferedReader) -> None:
    """Answer and obey. EOFError where the parent has hung up."""
    tables: dict[int, Whole] = {}
    while True:
        asked, kind, number, count = REQUEST.unpack(_read(heard, REQUEST.size))
        if asked == CLEAR:
            tables[number] = Whole(count, KINDS[kind])
        elif asked == TAKE:
            line.sendall(tables[number].take(_places(heard, count)).data)
        elif asked == PUT:
            tables[number].put(_places(heard, count), _numbers(heard, count, KINDS[kind]))
        elif asked == HALVE:
            tables[number].halve()
        elif asked == STRETCH:
            tables[number].stretch()


def _places(heard: BufferedReader, count: int) -> Places:
    return _numbers(heard, count, np.uint64)


def _numbers(heard: BufferedReader, count: int, kind: Kind) -> NDArray[Any]:
    return np.frombuffer(_read(heard, count * np.dtype(kind).itemsize), kind)


def _read(heard: BufferedReader, size: int) -> bytes:
    if len(told := heard.read(size)) < size:
        raise EOFError
    return told


if __name__ == "__main__":
    main()
