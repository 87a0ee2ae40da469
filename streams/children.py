"""Processes of our own, started fresh and never forked, each with its ends of the sockets that it is talked to over.

A fork of a process with threads (aiokafka, SQLite, the loop's executor) can inherit a lock that nobody will ever open.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from socket import socket
from typing import Final

ONE_THREAD: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class BrokenShards(Exception):
    """A child that holds a shard of the deduplicator's tables died (killed, out of memory).

    What the step remembers is of no use any more, and no record is at fault: the process that owns it should end and
    start again from what is committed.
    """


def launched(module: str, arguments: Sequence[object], ends: Sequence[socket]) -> subprocess.Popen[bytes]:
    """``python -m module arguments… numbers…``; the numbers are those of the ends, which are the process's from now on."""
    numbers = [end.fileno() for end in ends]
    try:
        return subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments), *map(str, numbers)],
            pass_fds=numbers,
            env={**os.environ, **ONE_THREAD, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.DEVNULL,
        )
    finally:
        for end in ends:
            end.close()
