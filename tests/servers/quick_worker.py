"""``wiredesk worker`` with the quick steps of the tests: ``python -m tests.servers.quick_worker [STEP]…``."""

from __future__ import annotations

import sys

from config.settings import load as settings_of
from streams.kafka.service import run_forever
from streams.kafka.worker import run_worker
from streams.topology import STEPS
from tests.servers.quick_steps import load


def main() -> None:
    steps = [step for step in STEPS if step.name in (sys.argv[1:] or [step.name for step in STEPS])]
    run_forever(settings_of(), lambda stop: run_worker(settings_of(), steps, stop, load=load))


if __name__ == "__main__":
    main()
