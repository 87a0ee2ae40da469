"""Steps for the tests of the pool; in a module of their own, because children of the pool import them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence

from config import Misconfigured
from config.settings import Settings
from processors.errors import Rejected
from streams.messages import Message, Record
from streams.settlement import Outcome
from streams.topology import Step


class TwoArguments(Exception):
    """An exception that pickles but does not come back."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} {two}")


def load(step: Step, settings: Settings) -> Callable[[Sequence[Record]], list[Outcome]]:  # noqa: C901 -- a table of behaviours
    """A step that does what its records say."""
    loaded_in = os.getpid()
    text = settings.tag.watchlists

    def one(record: Record) -> Outcome:
        value = record.value
        match record.value:
            case b"who":
                value = f"{step.name} {text} {loaded_in} {os.getpid()} {os.getppid()}".encode()
            case b"reject":
                raise Rejected("as told")
            case b"raise":
                raise TwoArguments("a", "b")
            case b"die":
                os.kill(os.getpid(), signal.SIGKILL)
            case b"wait":
                time.sleep(60)
            case b"spin":
                deadline = time.process_time() + 0.2
                while time.process_time() < deadline:
                    pass
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


def misconfigured(step: Step, settings: Settings) -> Callable[[Sequence[Record]], list[Outcome]]:
    """A step that can't be loaded."""
    raise Misconfigured(f"{step.name}: no such model")
