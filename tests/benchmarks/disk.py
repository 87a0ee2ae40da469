"""How much disk a story takes in the data file of one machine, and feed states on Kafka a day.

    python -m tests.benchmarks.disk [--stories 300] [--words 200] [--feeds 10000]

Prints the bytes a story of each table and topic, as SQLite counts its pages, when all stories have just passed, and when
only what is kept for the full time is left; then what pollers write of feeds that bring something at times, reckoned
from the records that a poll of each kind makes.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Final

from config.settings import Settings
from processors.model.event import RawItem
from processors.times import HOUR_MS, to_timestamp
from sinks.stories import now_ms
from streams.embedded.data_file import DATABASE
from streams.embedded.runtime import EmbeddedRuntime
from tests.invented import line

TOPIC_SQL: Final = (
    "SELECT topic, COUNT(*), SUM(LENGTH(value) + LENGTH(headers) + LENGTH(key)) FROM records GROUP BY 1"
)


async def fill(folder: Path, count: int, words: int) -> None:
    """Run stories through the pipeline into the data file of a folder."""
    now = to_timestamp(now_ms())
    items = [RawItem(line(number, words), now, feed=f"feed-{number % 7}") for number in range(count)]
    async with EmbeddedRuntime(Settings(), folder) as runtime:
        await runtime.outlet.publish(items)
        assert await runtime.drain(3600)
        print(
            f"{count} stories of {words} words, {sum(len(item.payload) for item in items) / count:,.0f} bytes each as they came"
        )
        print("just passed:")
        report(folder, count)
        await runtime.log_thread.write(lambda: runtime._delete_old(now_ms() + 2 * HOUR_MS))
    print("two hours later, once everybody has read them:")
    report(folder, count)


def report(folder: Path, stories: int) -> None:
    """Print the bytes a story of each table, and of each topic in the table of records."""
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        sizes: Counter[str] = Counter()
        for name, size in connection.execute("SELECT name, SUM(pgsize) FROM dbstat GROUP BY 1"):
            sizes[str(name)] += int(size)
        free = connection.execute("PRAGMA freelist_count").fetchone()[0]
        print(
            f"  {sum(sizes.values()) / stories:8,.0f} bytes a story, in all ({free} free pages not counted)"
        )
        for name, size in sizes.most_common():
            if size / stories >= 50:
                print(f"  {size / stories:8,.0f}   {name}")
        for topic, number, size in connection.execute(TOPIC_SQL):
            print(f"  {size / stories:8,.0f}     of {number} records of {topic}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stories", type=int, default=300)
    parser.add_argument("--words", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(fill(Path(folder), options.stories, options.words))


if __name__ == "__main__":
    main()
