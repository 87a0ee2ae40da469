"""The deduplicator beside datasketch and rensa on one stream: stories a CPU second, bytes a story, F1 and ARI.

    python -m tests.benchmarks.deduplicate [--stories 8000] [--seed 1] [--window 1000000]

A third of the stream are copies (cut, added to, renumbered, resent) of stories of the hour before; a tenth are
notices made from one template with other names and figures, which belong apart. Stories come in batches, as the
step gets them. Install the other two to see them: ``pip install datasketch rensa``; the project does not need them.
Bytes are those that Python and numpy allocate; rensa's own allocations are not among them. ``--window`` also fills
a window with so many stories and tells how long it takes to read it back from its records.
"""

from __future__ import annotations

import argparse
import random
import re
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from config.settings import Deduplicate
from processors.deduplicate import Deduplicator
from processors.model.event import Event
from tests.processors.deduplicate.stories import event, report

WARM_UP = 500  # stories
BATCH = 64  # stories that the step gets together
THRESHOLD = 0.5  # Jaccard, for the others
PERMUTATIONS = 128
Decide = Callable[[Sequence[Event]], list[str]]


@dataclass(frozen=True, slots=True)
class Sent:
    """A story of the stream and the number of the report that it tells."""

    event: Event
    truth: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What one tool took and found."""

    name: str
    per_second: float
    bytes_each: float
    f1: float
    ari: float
    resident: float


def stream(count: int, seed: int) -> list[Sent]:
    """`count` stories, ten a minute."""
    own = random.Random(seed)  # noqa: S311 -- a benchmark, not a secret
    sent: list[Sent] = []
    while len(sent) < count:
        number, hours = len(sent), len(sent) / 600
        kind = own.random()
        if kind < 0.1:
            text, truth = _notice(own), number
        elif kind < 0.4 and sent:
            origin = own.choice(sent[-600:])
            text, truth = _copied(own, origin.event.text), origin.truth
        else:
            text, truth = report(seed * 1_000_003 + number, own.randint(4, 14)), number
        sent.append(Sent(event(f"urn:s:{number}", text, text[:60], hours=hours), truth))
    return sent


def _notice(own: random.Random) -> str:
    name = " ".join(
        own.choice(["Norr", "Obla", "Gann", "Marsa", "Solva"]) + own.choice(["vik", "na", "et"]) for _ in "ab"
    )
    return (
        f"{name} Inc declares quarterly dividend. Dividend {own.randint(10, 99)} cents against {own.randint(10, 99)} "
        f"cents. Payable April {own.randint(1, 28)} to holders of record on March {own.randint(1, 28)}. The company "
        f"said shareholders of {name} Inc will receive the dividend on the date stated."
    )


def _copied(own: random.Random, text: str) -> str:
    paragraphs = text.split("\n\n")
    edit = own.randrange(4)
    if edit == 0:
        return "\n\n".join(paragraphs[: max(2, len(paragraphs) * 2 // 3)])
    if edit == 1:
        return "\n\n".join([*paragraphs, report(own.randrange(10**9), 1)])
    if edit == 2:
        return re.sub(r"\d+", str(own.randint(10, 99)), text, count=1)
    return text


def measured(name: str, make: Callable[[], Decide], sent: Sequence[Sent]) -> Measured:
    """Run a tool twice: for its time without start-up, and for the memory that the stories take."""
    events = [each.event for each in sent[WARM_UP:]]
    decide, resident = make(), _resident()
    decide([each.event for each in sent[:WARM_UP]])
    started = time.process_time()
    chains = [chain for batch in batches(events) for chain in decide(batch)]
    seconds = time.process_time() - started
    resident = _resident() - resident
    decide = make()
    decide([each.event for each in sent[:WARM_UP]])
    tracemalloc.start()
    for batch in batches(events):
        decide(batch)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    truth = [each.truth for each in sent[WARM_UP:]]
    together, found, real = (_pairs(keys) for keys in (zip(truth, chains, strict=True), chains, truth))
    count = len(chains)
    chance, most = found * real / (count * (count - 1) / 2), (found + real) / 2
    return Measured(
        name,
        count / seconds,
        held / count,
        2 * together / (found + real),
        (together - chance) / (most - chance),
        resident / len(sent),
    )


def batches(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    """The events as the step gets them."""
    for start in range(0, len(events), BATCH):
        yield events[start : start + BATCH]


def _resident() -> int:
    return psutil.Process().memory_info().rss


def _pairs(keys: Iterable[object]) -> int:
    return sum(count * (count - 1) // 2 for count in Counter(keys).values())


def ours() -> Decide:
    """The deduplicator, as the step calls it."""
    window = Deduplicator(Deduplicate())
    return lambda events: [decision.lineage.story for decision in window.decide_all(events)]


def datasketch() -> Decide:
    """MinHash of word trigrams (128 permutations) in an LSH index, what it finds compared by the sketches."""
    from datasketch import MinHash, MinHashLSH  # type: ignore[import-not-found,unused-ignore]

    index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
    chains: list[int] = []
    sketches: list[Any] = []

    def decide(told: Event) -> int:
        sketch = MinHash(num_perm=PERMUTATIONS)
        sketch.update_batch([trigram.encode() for trigram in _trigrams(told.text)])
        like = [each for each in index.query(sketch) if sketch.jaccard(sketches[each]) >= THRESHOLD]
        sketches.append(sketch)
        return _chained(chains, like, lambda number: index.insert(number, sketch))

    return lambda events: [str(decide(each)) for each in events]


def rensa() -> Decide:
    """The same recipe with rensa's hashing and index in Rust, 16 bands of 8."""
    from rensa import RMinHash, RMinHashLSH  # type: ignore[import-not-found,unused-ignore]

    index = RMinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS, num_bands=16)
    chains: list[int] = []
    sketches: list[Any] = []

    def decide(told: Event) -> int:
        sketch = RMinHash(num_perm=PERMUTATIONS, seed=1)
        sketch.update(_trigrams(told.text))
        like = [each for each in index.query(sketch) if sketch.jaccard(sketches[each]) >= THRESHOLD]
        sketches.append(sketch)
        return _chained(chains, like, lambda number: index.insert(number, sketch))

    return lambda events: [str(decide(each)) for each in events]


def _trigrams(text: str) -> list[str]:
    words = re.findall(r"\w+", text.lower())
    return [" ".join(run) for run in zip(words, words[1:], words[2:], strict=False)]


def _chained(chains: list[int], like: Sequence[int], insert: Callable[[int], object]) -> int:
    """The chain of the earliest story that is like this one, else its own."""
    number = len(chains)
    chains.append(chains[min(like)] if like else number)
    insert(number)
    return chains[number]


def rebuilt(stories: int, seed: int) -> tuple[float, float, float]:
    """Fill a window, and read it back: seconds to decide, seconds to restore, resident bytes a story of the copy."""
    window = Deduplicator(Deduplicate())
    memories: list[bytes] = []
    started = time.process_time()
    for first in range(0, stories, BATCH):
        events = [
            event(
                f"urn:s:{number}",
                report(seed * 1_000_003 + number, 9),
                f"Report {number}",
                hours=70 * number / stories,
            )
            for number in range(first, min(first + BATCH, stories))
        ]
        memories += [decision.memory for decision in window.decide_all(events)]
    decided = time.process_time() - started
    del window
    restored, resident = Deduplicator(Deduplicate()), _resident()
    started = time.process_time()
    for memory in memories:
        restored.restore(bytes(bytearray(memory)))  # a copy, as a log gives it
    return decided, time.process_time() - started, (_resident() - resident) / stories


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--stories", type=int, default=8000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--window", type=int, default=0, metavar="STORIES")
    told = options.parse_args()
    sent = stream(told.stories, told.seed)
    print(f"{'tool':12}{'stories/CPU s':>15}{'bytes/story':>13}{'resident':>10}{'F1':>8}{'ARI':>8}")
    for name, make in {"wiredesk": ours, "datasketch": datasketch, "rensa": rensa}.items():
        try:
            row = measured(name, make, sent)
        except ImportError:
            print(f"{name} is not installed: left out")
            continue
        print(
            f"{row.name:12}{row.per_second:15,.0f}{row.bytes_each:13,.0f}{row.resident:10,.0f}"
            f"{row.f1:8.3f}{row.ari:8.3f}"
        )
    if told.window:
        decided, restored, resident = rebuilt(told.window, told.seed)
        print(
            f"a window of {told.window:,}: made and decided in {decided:.0f} CPU s, read back in {restored:.0f} CPU s",
            end="",
        )
        print(f", {resident:,.0f} resident bytes a story")


if __name__ == "__main__":
    main()
