"""A process that watches a list of sources over the embedded log, for tests that kill it.

Run as ``python -m tests.streams.sources.watched_child LIST FOLDER``. It says ``ready`` once it looks.
"""

from __future__ import annotations

import asyncio
import random
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

from streams.embedded.data_file import DATABASE
from streams.embedded.log import Log, LogThread
from streams.embedded.outlets import FeedStates
from streams.sources.declaration import load_sources
from streams.sources.watch import SourceWatch, limits_of
from tests.streams.sources.watching import settings


async def main(list_file: str, folder: Path) -> None:
    """Watch until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    log_thread = LogThread(Log(folder / DATABASE))
    told = settings(max_body_bytes=100_000)
    watch = SourceWatch(
        load_sources(list_file), told, FeedStates(log_thread), clock=time.time, random=random.random, stop=stop,
        limits=replace(limits_of(told), max_items=20),
    )  # fmt: skip
    print("ready", flush=True)
    await watch.run()
    log_thread.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
