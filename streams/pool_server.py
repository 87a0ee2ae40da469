"""The process that loads the pooled steps once and forks the pool's children; started by `streams.pool` only.

``python -m streams.pool_server PARENT CONTROL SOCKET…``: the parent's process id and the numbers of inherited sockets.
On each a question is answered at a time, both pickled behind their `FRAME_LENGTH`. When a child or the parent dies,
everything here dies.
"""

from __future__ import annotations

import ctypes
import gc
import os
import pickle
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from io import BufferedRWPair
from typing import Any, Final

from streams.messages import Record
from streams.settlement import Outcome

PR_SET_PDEATHSIG: Final = 1  # prctl(2)
FRAME_LENGTH: Final = struct.Struct("!Q")  # before a question or an answer: its bytes

Steps = Mapping[str, Callable[[Sequence[Record]], list[Outcome]]]


def main() -> None:
    """Load, fork, and wait for the first child to end."""
    parent, control_number, *numbers = map(int, sys.argv[1:])
    _die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    control = _open_stream(control_number)
    try:
        load, steps, settings = _receive(control)
        loaded: Steps = {step.name: load(step, settings) for step in steps}
    except EOFError:
        return
    except BaseException as error:  # noqa: BLE001 -- the parent raises it
        _send(control, as_picklable(error))
        return
    gc.collect()
    gc.freeze()  # what is loaded stays out of collections, which would copy shared memory
    for number in numbers:
        _fork(number, numbers, control, loaded)
    for number in numbers:
        os.close(number)
    _send(control, None)
    os.wait()


def pack_frame(value: object) -> tuple[bytes, bytes]:
    """A value as it travels: its length, its pickle."""
    pickled = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return FRAME_LENGTH.pack(len(pickled)), pickled


def as_picklable(error: BaseException) -> BaseException:
    """The error with its traceback as a note; as a `RuntimeError` where it can't travel between processes."""
    text = "".join(traceback.format_exception(error))
    try:
        same = type(pickle.loads(pickle.dumps(error))) is type(error)  # noqa: S301 -- written on this line
    except Exception:  # noqa: BLE001 -- whatever pickling it raises, it can't travel
        same = False
    travels = error if same else RuntimeError(f"{type(error).__name__}: {error}")
    travels.add_note(f"in a child of the pool:\n{text}")
    return travels


def _fork(number: int, numbers: Sequence[int], control: BufferedRWPair, steps: Steps) -> None:
    server = os.getpid()
    if os.fork():
        return
    status = 1
    try:
        _die_with(server)
        control.close()
        for other in numbers:
            if other != number:
                os.close(other)
        _serve(_open_stream(number), steps)
        status = 0
    except BaseException:  # noqa: BLE001 -- a child must not go on as a second server
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _serve(line: BufferedRWPair, steps: Steps) -> None:
    """Answer chunks until the parent hangs up."""
    while True:
        try:
            name, chunk = _receive(line)
        except EOFError:
            return
        outcomes = [
            as_picklable(outcome) if isinstance(outcome, Exception) else outcome
            for outcome in steps[name](chunk)
        ]
        try:
            _send(line, outcomes)
        except BrokenPipeError:
            return


def _open_stream(number: int) -> BufferedRWPair:
    """The stream of an inherited socket."""
    with socket.socket(fileno=number) as inherited:
        return inherited.makefile("rwb")


def _receive(line: BufferedRWPair) -> Any:
    """The next question; EOFError where the parent has hung up."""
    if len(length := line.read(FRAME_LENGTH.size)) < FRAME_LENGTH.size:
        raise EOFError
    return pickle.loads(line.read(*FRAME_LENGTH.unpack(length)))  # noqa: S301 -- our own parent wrote it


def _send(line: BufferedRWPair, value: object) -> None:
    line.writelines(pack_frame(value))
    line.flush()


def _die_with(parent: int) -> None:
    """Ask the kernel to kill this process when its parent ends (Linux); end now if that has happened already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


if __name__ == "__main__":
    main()
