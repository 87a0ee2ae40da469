"""A server process of the tests: started, waited for, stopped by its own process id."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

STOP_S: Final = 30.0
PR_SET_PDEATHSIG: Final = 1  # prctl(2): the kernel goes by the thread that made the child …
_SPAWNER: Final = ThreadPoolExecutor(
    1, "servers"
)  # … so one makes them all, which lives as long as the tests


class DidNotStart(Exception):
    """The server ended or stayed silent; the message has the end of its log."""


def free_ports(number: int) -> list[int]:
    """Ports of loopback that nobody listens on now."""
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class ServerProcess:
    """A command with a log file, which dies with the tests even when they are killed."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        user: int | None = None,
    ) -> None:
        self._log = log
        with log.open("ab") as output:
            self._process = _SPAWNER.submit(
                subprocess.Popen,
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                user=user,
                group=user,
                extra_groups=[] if user is not None else None,
                preexec_fn=_die_with_the_tests,
                start_new_session=True,
            ).result()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs."""
        return self._process.poll()

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Return when `ready` says so.

        Raises:
            DidNotStart: the process ended before, or time is up.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise DidNotStart(self.log()[-3000:])
            time.sleep(0.1)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL after half a minute."""
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Stop and continue, for outages."""
        self._process.send_signal(number)

    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")


def _die_with_the_tests() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
