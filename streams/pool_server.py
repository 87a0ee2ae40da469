"""The process that loads the pooled steps once and forks the pool's children; started by `streams.pool` only.

``python -m streams.pool_server PARENT CONTROL``: the parent's process id and the number of an inherited socket. The first
question on it names what is loaded. Each later one asks for a child, whose socket travels beside it, in the place of
one that ended, whose exit status is the answer; or to load a step anew, whose files have changed (`RENEW_REQUEST`), for
the children that are forked from then on. When the parent dies or hangs up, everything here dies.

A child answers one question at a time, pickled behind a `FRAME_LENGTH`. The kernel ends it where an answer takes longer
than the deadline: a regular expression holds the interpreter, so nothing inside the child could.
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
from functools import partial
from io import BufferedRWPair
from typing import Any, Final

from processors.errors import OutOfMemory

PR_SET_PDEATHSIG: Final = 1  # prctl(2)
FRAME_LENGTH: Final = struct.Struct("!Q")  # before a question or an answer: its bytes
FORK_REQUEST: Final = struct.Struct("!q")  # the process id of the child that the new one replaces; 0: none

RENEW_REQUEST: Final = (
    -1
)  # in the place of a process id: a frame with the name of a step to load anew follows

PooledTask = Callable[[Sequence[Any]], list[Any]]  # one result for each argument


def main() -> None:
    """Load, then fork a child whenever the parent asks for one."""
    parent, control_number = map(int, sys.argv[1:])
    _die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with socket.socket(fileno=control_number) as control:
        try:
            load, steps, tasks, settings = pickle.loads(_receive_frame(control))  # noqa: S301 -- our own parent wrote it
            loaded: dict[str, PooledTask] = {step.name: load(step, settings) for step in steps} | tasks
        except EOFError:
            return
        except BaseException as error:  # noqa: BLE001 -- the parent raises it
            control.sendall(b"".join(pack_frame(as_picklable(error))))
            return
        gc.collect()
        gc.freeze()  # what is loaded stays out of collections, which would copy shared memory
        control.sendall(b"".join(pack_frame(None)))
        loaders = {step.name: partial(load, step, settings) for step in steps}
        _fork_on_request(control, loaded, loaders, settings.steps.deadline_s)


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


def _fork_on_request(
    control: socket.socket,
    loaded: dict[str, PooledTask],
    loaders: Mapping[str, Callable[[], PooledTask]],
    deadline_s: float,
) -> None:
    """Fork a child for each request, or load a step anew, until the parent hangs up; then end those that live."""
    children: set[int] = set()
    while True:
        request, sockets, _, _ = socket.recv_fds(control, FORK_REQUEST.size, 1)
        if not request:
            for child in children:
                os.kill(child, signal.SIGKILL)
            return
        (replaced,) = FORK_REQUEST.unpack(request)
        if replaced == RENEW_REQUEST:
            control.sendall(b"".join(pack_frame(_renew(control, loaded, loaders))))
            continue
        status = _end_child(replaced) if replaced in children else 0
        children.discard(replaced)
        child = _fork(sockets[0], control, loaded, deadline_s)
        children.add(child)
        os.close(sockets[0])
        control.sendall(b"".join(pack_frame((child, status))))


def _renew(
    control: socket.socket, loaded: dict[str, PooledTask], loaders: Mapping[str, Callable[[], PooledTask]]
) -> BaseException | None:
    """Load the step that a frame names anew; the error where it can't be, and the one before stays."""
    try:
        name = pickle.loads(_receive_frame(control))  # noqa: S301 -- our own parent wrote it
        loaded[name] = loaders[name]()
    except EOFError:
        raise
    except Exception as error:  # noqa: BLE001 -- the parent raises it
        return as_picklable(error)
    gc.collect()
    gc.freeze()
    return None


def _end_child(child: int) -> int:
    """Make sure that a child has ended; its exit code, or minus the signal that ended it.

    It is our own child and nobody has waited for it, so its number can't be another process's by now.
    """
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _fork(number: int, control: socket.socket, loaded: Mapping[str, PooledTask], deadline_s: float) -> int:
    server = os.getpid()
    if child := os.fork():
        return child
    status = 1
    try:
        _die_with(server)
        control.close()
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])
        _serve(_open_stream(number), loaded, deadline_s)
        status = 0
    except BaseException:  # noqa: BLE001 -- a child must not go on as a second server
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _serve(line: BufferedRWPair, loaded: Mapping[str, PooledTask], deadline_s: float) -> None:
    """Answer questions until the parent hangs up."""
    while True:
        try:
            name, arguments = _receive(line)
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_REAL, deadline_s)
        results = [
            as_picklable(result) if isinstance(result, Exception) else result
            for result in _run(loaded[name], arguments)
        ]
        signal.setitimer(signal.ITIMER_REAL, 0)
        try:
            _send(line, results)
        except BrokenPipeError:
            return


def _run(task: PooledTask, arguments: Sequence[Any]) -> list[Any]:
    """What a task makes of its arguments; where memory is short for all of them together, each is to run alone."""
    try:
        return task(arguments)
    except MemoryError:
        return [OutOfMemory("memory is short for the records in hand")] * len(arguments)


def _open_stream(number: int) -> BufferedRWPair:
    """The stream of an inherited socket."""
    with socket.socket(fileno=number) as inherited:
        return inherited.makefile("rwb")


def _receive(line: BufferedRWPair) -> Any:
    """The next question; EOFError where the parent has hung up."""
    if len(length := line.read(FRAME_LENGTH.size)) < FRAME_LENGTH.size:
        raise EOFError
    return pickle.loads(line.read(*FRAME_LENGTH.unpack(length)))  # noqa: S301 -- our own parent wrote it


def _receive_frame(control: socket.socket) -> bytes:
    """The pickle of a question, and not one byte behind it, because a request may bring a socket."""
    (length,) = FRAME_LENGTH.unpack(_receive_bytes(control, FRAME_LENGTH.size))
    return _receive_bytes(control, length)


def _receive_bytes(control: socket.socket, count: int) -> bytes:
    received = bytearray()
    while len(received) < count:
        if not (piece := control.recv(count - len(received))):
            raise EOFError
        received += piece
    return bytes(received)


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
