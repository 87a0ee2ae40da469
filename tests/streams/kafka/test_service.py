"""A process that fails starts itself again in its place, and ends in order whenever it is told to."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import time
from pathlib import Path

from aiokafka.errors import NotCoordinatorForGroupError

from streams.kafka.service import LogLimit

PROGRAM = """
import asyncio, os, sys
from config.settings import Settings
from streams.kafka.service import RESTARTS_VARIABLE, run_forever

async def run(stop):
    restarts = int(os.environ.get(RESTARTS_VARIABLE, "0"))
    print("run", os.getpid(), restarts, flush=True)
    if restarts < int(sys.argv[1]):
        raise ConnectionError("the broker went")
    await stop.wait()

run_forever(Settings(), run)
"""


def started(tmp_path: Path, failures: int) -> subprocess.Popen[str]:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, str(program), str(failures)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_after_a_failure_it_goes_on_under_the_same_process_id(tmp_path: Path) -> None:
    with started(tmp_path, failures=2) as process:
        assert process.stdout
        lines = [process.stdout.readline().split() for _ in range(3)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert lines == [["run", str(process.pid), str(number)] for number in range(3)]


def test_a_stop_in_the_pause_before_a_restart_ends_it_in_order(tmp_path: Path) -> None:
    with started(tmp_path, failures=1000) as process:
        assert process.stdout
        for _ in range(3):  # the pauses grow
            process.stdout.readline()
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert time.monotonic() - began < 10


def test_a_flood_of_one_line_is_cut_and_other_lines_pass() -> None:
    limit = LogLimit(max_lines=2, seconds=1000)

    def line(name: str, message: str) -> bool:
        return limit.filter(logging.LogRecord(name, logging.ERROR, "", 0, message, (), None))

    assert [line("aiokafka.conn", "down") for _ in range(4)] == [True, True, False, False]
    assert line("aiokafka.conn", "up")
    assert all(line("wiredesk", "down") for _ in range(9))


def test_after_a_while_the_lines_of_a_flood_pass_again() -> None:
    limit = LogLimit(max_lines=1, seconds=0.0)
    line = logging.LogRecord("aiokafka.conn", logging.ERROR, "", 0, "down", (), None)
    assert all(limit.filter(line) for _ in range(4))


def test_a_trace_of_what_the_broker_refuses_is_one_line_and_that_of_a_bug_stays() -> None:
    for error, is_traced in ((NotCoordinatorForGroupError(), False), (ValueError("a bug"), True)):
        trace = type(error), error, None
        record = logging.LogRecord("aiokafka.x", logging.ERROR, "", 1, "Unexpected %s", ("error",), trace)
        assert LogLimit().filter(record)
        assert bool(record.exc_info) is is_traced
        assert record.getMessage().startswith("Unexpected error")
        assert is_traced or "NotCoordinatorForGroup" in record.getMessage()
