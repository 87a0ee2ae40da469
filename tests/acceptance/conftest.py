"""The real command, as an operator starts it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("wiredesk")


@pytest.fixture(scope="session")
def wiredesk() -> str:
    """The installed console script."""
    assert COMMAND.is_file(), "install the project into the environment that runs the tests: make test"
    return str(COMMAND)


@pytest.fixture
def environment() -> dict[str, str]:
    """The caller's environment without settings of wiredesk."""
    return {name: value for name, value in os.environ.items() if not name.startswith("WIREDESK_")}


def finished(
    command: list[str], *, given: bytes = b"", environment: dict[str, str], timeout: float = 60
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end."""
    return subprocess.run(
        command, input=given, capture_output=True, timeout=timeout, check=False, env=environment
    )


def free_port() -> int:
    """A port of loopback that nobody listens on at this moment."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])
