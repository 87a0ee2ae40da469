"""The deduplicator beside datasketch on one generated stream: stories a CPU second, bytes a story, pairs found.

    python -m tests.benchmarks.deduplicate [--stories 8000] [--seed 1]

A third of the stream are copies (cut, added to, renumbered, resent) of stories of the hour before; a tenth are
notices made from one template with other names and figures, which belong apart. Install datasketch to see it, too:
``pip install datasketch``; the project does not need it.
"""

from __future__ import annotations

import argparse
import random
import re
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from config.settings import Deduplicate
from processors.deduplicate import Deduplicator
from processors.event import Event
from tests.processors.deduplicate.stories import event, report

WARM_UP = 500  # stories
THRESHOLD = 0.5  # Jaccard, for datasketch
Decide = Callable[[Event], str]


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
    precision: float
    recall: float


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
    decide = make()
    for each in sent[:WARM_UP]:
        decide(each.event)
    started = time.process_time()
    chains = [decide(each.event) for each in sent[WARM_UP:]]
    seconds = time.process_time() - started
    decide = make()
    for each in sent[:WARM_UP]:
        decide(each.event)
    tracemalloc.start()
    for each in sent[WARM_UP:]:
        decide(each.event)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    truth = [each.truth for each in sent[WARM_UP:]]
    together, found, real = (_pairs(keys) for keys in (zip(truth, chains, strict=True), chains, truth))
    count = len(chains)
    return Measured(name, count / seconds, held / count, together / max(found, 1), together / max(real, 1))


def _pairs(keys: Iterable[object]) -> int:
    return sum(count * (count - 1) // 2 for count in Counter(keys).values())


def ours() -> Decide:
    """The deduplicator, as the step calls it."""
    window = Deduplicator(Deduplicate())
    return lambda told: window.decide(told).lineage.story


def datasketch() -> Decide:
    """MinHash of word trigrams (128 permutations) in an LSH index: the usual recipe."""
    from datasketch import MinHash, MinHashLSH  # type: ignore[import-not-found,unused-ignore]

    index = MinHashLSH(threshold=THRESHOLD, num_perm=128)
    chains: dict[str, str] = {}

    def decide(told: Event) -> str:
        words = re.findall(r"\w+", told.text.lower())
        sketch = MinHash(num_perm=128)
        sketch.update_batch(
            [" ".join(run).encode() for run in zip(words, words[1:], words[2:], strict=False)]
        )
        found = index.query(sketch)
        uri = told.story.uri
        chains[uri] = chains[min(found)] if found else uri
        index.insert(uri, sketch)
        return chains[uri]

    return decide


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--stories", type=int, default=8000)
    options.add_argument("--seed", type=int, default=1)
    told = options.parse_args()
    sent = stream(told.stories, told.seed)
    tools: dict[str, Callable[[], Decide]] = {"wiredesk": ours}
    try:
        datasketch()
    except ImportError:
        print("datasketch is not installed: left out")
    else:
        tools["datasketch"] = datasketch
    print(f"{'tool':12}{'stories/CPU s':>15}{'bytes/story':>13}{'precision':>11}{'recall':>8}")
    for name, make in tools.items():
        row = measured(name, make, sent)
        print(
            f"{row.name:12}{row.per_second:15,.0f}{row.bytes_each:13,.0f}{row.precision:11.3f}{row.recall:8.3f}"
        )


if __name__ == "__main__":
    main()
