"""The hostile corpus: ``make hostile``, or ``python -m tests.hostile.corpus --documents 2000 --seed 1``.

Documents of 10, 30 and 100 kB, pumps of all patterns and loops in every kind of container in turn, run through every step
(`tests.hostile.pipeline`), and then through a running ``wiredesk run`` (`tests.hostile.corpus_run`), which gets them from
feeds, by push and from its drop folder. What comes out is a table: a step's slowest record, what the documents grew to,
``/livez``, memory and disk; and the status is 1 where a limit of `LIMITS` does not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import resource
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.hostile.containers import Container, all_containers
from tests.hostile.corpus_run import RunFigures, run_wiredesk
from tests.hostile.fuzz import documents, mutation_of
from tests.hostile.patterns import Pump
from tests.hostile.pipeline import Steps, loaded_steps
from tests.hostile.timing import MAX_RECORD_S

SIZES: Final = (10_000, 30_000, 100_000)
MAX_LIVEZ_S: Final = 0.5
MAX_MEMORY_MB: Final = 1024
MAX_DISK_FACTOR: Final = 20
LIMIT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class HostileDocument:
    """One input, and how it was made."""

    container: Container
    pump: Pump
    size: int

    @property
    def body(self) -> bytes:
        """Its bytes."""
        return self.container.wrap(self.pump.text(self.size))

    def name(self) -> str:
        """How it was made, in a line."""
        unit = f"{self.pump.prefix[:20]!r} {self.pump.unit[:40]!r} {self.pump.suffix[:20]!r}"
        return f"{self.container.kind} {self.container.name} {unit} {self.size // 1000} kB"


def make_corpus(seed: int, count: int) -> Iterator[HostileDocument]:
    """So many documents: each kind of container in turn, sizes in turn, pumps by chance."""
    waiting: dict[str, list[tuple[Container, Pump]]] = defaultdict(list)
    source = documents(seed)
    kinds = sorted({container.kind for container in all_containers()})
    for number, kind in zip(range(count), itertools.cycle(kinds), strict=False):
        while not waiting[kind]:
            container, pump = next(source)
            waiting[container.kind].append((container, pump))
        yield HostileDocument(*waiting[kind].pop(0), SIZES[number // len(kinds) % len(SIZES)])


@dataclass(slots=True)
class StepFigures:
    """What was seen of one step."""

    seconds: float = 0.0
    records: int = 0
    slowest: float = 0.0
    slowest_of: str = ""


@dataclass(slots=True)
class Figures:
    """What was seen of all steps."""

    steps: dict[str, StepFigures] = field(default_factory=lambda: defaultdict(StepFigures))
    kinds: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    bytes: int = 0
    event_bytes: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, document: HostileDocument, steps: Steps) -> None:
        """Run a document; what was over the limit is run again twice, for other programs take time, too."""
        body, mutation = document.body, mutation_of(document.container, document.pump)
        times = steps.run(body, limit_s=LIMIT_S, mutation=mutation)
        seconds = dict(times.seconds)
        for _ in range(2):
            if max(seconds.values()) <= MAX_RECORD_S:
                break
            again = steps.run(body, limit_s=LIMIT_S, mutation=mutation).seconds
            seconds = {name: min(took, again.get(name, took)) for name, took in seconds.items()}
        self.kinds[document.container.kind] += 1
        self.bytes += len(body)
        self.event_bytes += times.event_bytes
        for name, took in seconds.items():
            step = self.steps[name]
            step.seconds, step.records = step.seconds + took, step.records + 1
            if took > step.slowest:
                step.slowest, step.slowest_of = took, document.name()
            if took > MAX_RECORD_S:
                print(f"SLOW {name} {took:.2f} s ({mutation}): {document.name()}", flush=True)
        for name, fault in times.faults.items():
            self.faults.append(f"{name} {fault} ({mutation}): {document.name()}")
            print(f"FAULT {self.faults[-1]}", flush=True)

    def lines(self) -> Iterator[str]:
        """The table."""
        count = sum(self.kinds.values())
        yield f"{count} documents, {self.bytes / 1e6:.1f} MB, in {len(self.kinds)} kinds of container"
        yield "| step | records | mean ms | slowest s | of |"
        yield "|---|---|---|---|---|"
        for name, step in self.steps.items():
            mean = 1000 * step.seconds / max(1, step.records)
            yield f"| {name} | {step.records} | {mean:.1f} | {step.slowest:.2f} | {step.slowest_of} |"
        memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        yield f"events: {self.event_bytes / max(1, self.bytes):.1f} times the input; memory {memory_mb:.0f} MB"

    @property
    def is_sound(self) -> bool:
        """Whether no step took too long or blamed itself."""
        return not self.faults and all(step.slowest <= MAX_RECORD_S for step in self.steps.values())


def try_steps(corpus: Sequence[HostileDocument]) -> Figures:
    """Run all documents through all steps of this process."""
    figures, steps = Figures(), loaded_steps()
    for document in corpus:
        figures.add(document, steps)
    return figures


def is_within_limits(run: RunFigures) -> bool:
    """Whether a run kept to the limits."""
    return (
        run.livez_s <= MAX_LIVEZ_S
        and run.memory_mb <= MAX_MEMORY_MB
        and run.disk_bytes <= MAX_DISK_FACTOR * run.bytes
        and run.ended_well
    )


def main() -> int:
    """Run the corpus; the status is 1 where a limit does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=("steps", "run"), help="one of the two parts")
    options = parser.parse_args()
    corpus = list(make_corpus(options.seed, options.documents))
    is_sound = True
    if options.only != "run":
        figures = try_steps(corpus)
        print(*figures.lines(), sep="\n", flush=True)
        is_sound = figures.is_sound
    if options.only != "steps":
        run = asyncio.run(run_wiredesk([document.body for document in corpus]))
        print(*run.lines(), sep="\n")
        is_sound &= is_within_limits(run)
    return 0 if is_sound else 1


if __name__ == "__main__":
    sys.exit(main())
