"""The chain with empty steps, as a process: ``python -m tests.servers.kafka_empty_worker [bare]``, told as a worker is."""

from __future__ import annotations

import sys

from config.settings import load as settings_of
from streams.kafka.service import run_forever
from streams.kafka.worker import run_worker
from streams.topology import STEPS
from tests.servers.kafka_empty import bare, load


def main() -> None:
    settings = settings_of()
    if "bare" in sys.argv:
        run_forever(settings, lambda stop: bare(settings, stop))
    else:
        run_forever(settings, lambda stop: run_worker(settings, STEPS, stop, load=load))


if __name__ == "__main__":
    main()
