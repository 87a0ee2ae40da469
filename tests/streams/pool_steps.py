"""Steps for the tests of the pool; in a module of their own, because children of the pool import them."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from config import Misconfigured
from config.settings import Settings
from processors.errors import OutOfMemory, Rejected
from streams.messages import Message, Record
from streams.pollers.judge import judge_packed
from streams.settlement import Outcome
from streams.topology import Step


class TwoArguments(Exception):
    """An exception that pickles but does not come back."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} {two}")


def hang() -> None:
    """Hold the interpreter as a regular expression with a bad pattern does: nothing in this process could end it."""
    ctypes.PyDLL(None).sleep(600)


def reject() -> None:
    raise Rejected("as told")


def fail() -> None:
    raise TwoArguments("a", "b")


def run_short_of_memory() -> None:
    raise OutOfMemory("as told")


def spin() -> None:
    deadline = time.process_time() + 0.2
    while time.process_time() < deadline:
        pass


ACTIONS = {
    b"reject": reject,
    b"raise": fail,
    b"short of memory": run_short_of_memory,
    b"die": lambda: os.kill(os.getpid(), signal.SIGKILL),
    b"wait": lambda: time.sleep(60),
    b"nap": lambda: time.sleep(0.2),
    b"hang": hang,
    b"spin": spin,
}


def load(step: Step, settings: Settings) -> Callable[[Sequence[Record]], list[Outcome]]:
    """A step that does what its records say."""
    loaded_in = os.getpid()
    text = settings.tag.watchlists

    def one(record: Record) -> Outcome:
        value = record.value
        if value == b"who":
            value = f"{step.name} {text} {loaded_in} {os.getpid()} {os.getppid()}".encode()
        elif value in ACTIONS:
            ACTIONS[value]()
        return (Message("out", record.key, value, record.timestamp),)

    def run(records: Sequence[Record]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for record in records:
            try:
                outcomes.append(one(record))
            except Exception as error:  # noqa: BLE001 -- as `Work` does
                outcomes.append(error)
        return outcomes

    return run


def load_of_file(step: Step, settings: Settings) -> Callable[[Sequence[Record]], list[Outcome]]:
    """A step that answers with what a file said when it was loaded."""
    try:
        text = Path(settings.tag.watchlists).read_bytes()
    except OSError as error:
        raise Misconfigured("no such file of words") from error

    def run(records: Sequence[Record]) -> list[Outcome]:
        for record in records:
            ACTIONS.get(record.value, bytes)()
        answers = [text if record.value == b"words" else record.value for record in records]
        return [
            (Message("out", record.key, answer, record.timestamp),)
            for record, answer in zip(records, answers, strict=True)
        ]

    return run


def answer_all(arguments: Sequence[bytes]) -> list[object]:
    """A task that does what its argument says."""
    (argument,) = arguments
    if argument == b"hang":
        hang()
    return [ValueError("as told") if argument == b"raise" else (argument, b"answered")]


def judge_or_hang(arguments: Sequence[tuple[Any, ...]]) -> list[object]:
    """The judge of polled documents, which hangs on some."""
    if any(b"hangs" in answer.body for _, _, answer, *_ in arguments):
        hang()
    return list(judge_packed(arguments))


def misconfigured(step: Step, settings: Settings) -> Callable[[Sequence[Record]], list[Outcome]]:
    """A step that can't be loaded."""
    raise Misconfigured(f"{step.name}: no such model")
