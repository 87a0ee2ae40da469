"""Search for inputs that cost more than their size: ``make fuzz``, or ``python -m tests.hostile.fuzz --minutes 20 --seed 1``.

Pumps of all patterns and loops go into all containers. A document of 10 kB runs through every step, and a copy of it that
differs a little (`tests.hostile.near_copies`) through the deduplicator behind it; what takes a step
longer than the rest is run again at 5, 10 and 20 kB, and is a hit where twice the size takes more than `MAX_GROWTH` times as
long, a step takes more than a second, or blames itself. Each hit is printed with a program that shows it again.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from tests.hostile.containers import Container, all_containers
from tests.hostile.loops import loop_pumps
from tests.hostile.near_copies import choose_mutation
from tests.hostile.patterns import Pump, all_patterns, pumps_of
from tests.hostile.pipeline import Steps, loaded_steps
from tests.hostile.timing import HANG_S, MAX_GROWTH, MAX_RECORD_S, NOISE_S

SIZES: Final = (5_000, 10_000, 20_000)
TRIED_CHARS: Final = 10_000
GENTLE_SIZES: Final = (30, 600)  # an exponential time shows here, before it takes for ever
# Of a step on 10 kB, above which it is measured at all sizes: most documents take a fifth of it. A part of a step that
# takes the square of 10 kB in less is below 4 s at 100 kB.
SUSPECT_S: Final = 0.2
LIMIT_S: Final = 4.0
SHOWN_EVERY_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that took a step too long, or that a step failed on."""

    container: Container
    pump: Pump
    step: str
    seconds: tuple[float, ...]  # at `SIZES`
    fault: str = ""

    def report(self) -> str:
        """What happened, and a program that shows it again."""
        sizes = ", ".join(
            f"{size // 1000} kB {took:.2f} s" for size, took in zip(SIZES, self.seconds, strict=False)
        )
        return (
            f"HIT {self.step}: {self.fault or sizes}; {self.container.kind} {self.container.name}; {self.pump.pattern[:80]!r}"
            f"{'; ' + mutation_of(self.container, self.pump) if self.step == 'copy' else ''}\n"
            f'  python -c "from tests.hostile.fuzz import show; show({self.container.kind!r}, {self.container.name!r}, '
            f'{type(self.pump).__name__!r}, {self.pump.prefix!r}, {self.pump.unit!r}, {self.pump.suffix!r})"'
        )


@dataclass(slots=True)
class Report:
    """What was tried and found."""

    documents: int = 0
    by_kind: Counter[str] = field(default_factory=Counter)
    slowest: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    hits: list[Hit] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """The summary, a line a format and a step."""
        yield f"{self.documents} documents, {len(self.hits)} hits"
        yield "documents by format: " + ", ".join(
            f"{kind} {count}" for kind, count in self.by_kind.most_common()
        )
        yield "slowest record by step: " + ", ".join(
            f"{step} {took:.2f} s" for step, took in self.slowest.items()
        )


def try_document(steps: Steps, container: Container, pump: Pump, report: Report) -> None:
    """Run a pump in a container through every step, and report what is no good."""
    for size in (*GENTLE_SIZES, TRIED_CHARS):
        times = steps.run(
            container.wrap(pump.text(size)), limit_s=LIMIT_S, mutation=mutation_of(container, pump)
        )
        step, took = times.worst
        for name, fault in times.faults.items():
            report.hits.append(Hit(container, pump, name, (), fault))
        if took >= LIMIT_S:
            report.hits.append(
                Hit(container, pump, step, (took,) * 3, f"{size} characters take over {LIMIT_S:g} s")
            )
            break
        if times.faults:
            break
    report.documents += 1
    report.by_kind[container.kind] += 1
    for name, seconds in times.seconds.items():
        report.slowest[name] = max(report.slowest[name], seconds)
    for name, seconds in times.seconds.items():
        if SUSPECT_S < seconds < LIMIT_S and (hit := growth(steps, container, pump, name)):
            report.hits.append(hit)


def growth(steps: Steps, container: Container, pump: Pump, step: str) -> Hit | None:
    """The hit of a step whose time is out of proportion, in the best of three tries; None where it is not."""
    best: tuple[float, ...] = ()
    for _ in range(3):
        seconds = tuple(
            steps.run(
                container.wrap(pump.text(size)), limit_s=LIMIT_S, mutation=mutation_of(container, pump)
            ).seconds.get(step, 0.0)
            for size in SIZES
        )
        best = tuple(map(min, best, seconds)) if best else seconds
        ratio = best[2] / max(best[1], NOISE_S)
        if best[2] <= MAX_RECORD_S and ratio <= MAX_GROWTH:
            return None
    return Hit(container, pump, step, best)


def documents(seed: int) -> Iterator[tuple[Container, Pump]]:
    """Pumps in containers without end: of patterns and of loops in turn, each in containers by chance."""
    chance = random.Random(seed)  # noqa: S311 -- a choice of tests
    containers = all_containers()
    kinds: dict[str, list[Container]] = defaultdict(list)
    for container in containers:
        kinds[container.kind].append(container)
    patterns = list(all_patterns())
    loops = loop_pumps(chance)
    names = sorted(kinds)
    for number in itertools.count():
        if number % len(patterns) == 0:
            chance.shuffle(patterns)
        pumps = pumps_of(patterns[number % len(patterns)], chance)
        chosen = [chance.choice(pumps)] if pumps else []
        for pump in (*chosen, next(loops)):
            kind = (
                chance.choice(names) if chance.random() < 0.6 else chance.choice(("dispatch", "head", "item"))
            )
            yield chance.choice(kinds[kind]), pump


def mutation_of(container: Container, pump: Pump) -> str:
    """In what the copy of a document differs from it: the same at every size."""
    return choose_mutation(container.name, pump.prefix, pump.unit, pump.suffix)


def show(kind: str, name: str, pump_type: str, prefix: str, unit: str, suffix: str) -> None:
    """Print the times of one document at all sizes."""
    from tests.hostile.loops import NumberedPump

    pump = (NumberedPump if pump_type == "NumberedPump" else Pump)(prefix, unit, suffix)
    container = next(c for c in all_containers() if (c.kind, c.name) == (kind, name))
    for size in SIZES:
        times = loaded_steps().run(
            container.wrap(pump.text(size)), limit_s=HANG_S, mutation=mutation_of(container, pump)
        )
        print(size, {step: round(took, 3) for step, took in times.seconds.items()}, times.faults)


def main() -> int:
    """Search until the time is over; the status is 1 where something was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    report, start, shown = Report(), time.monotonic(), 0.0
    steps = loaded_steps()
    for container, pump in documents(options.seed):
        passed = time.monotonic() - start
        if passed > options.minutes * 60:
            break
        if passed - shown > SHOWN_EVERY_S:
            shown = passed
            print(f"{passed / 60:.1f} min: {report.documents} documents, {len(report.hits)} hits", flush=True)
        before = len(report.hits)
        try_document(steps, container, pump, report)
        for hit in report.hits[before:]:
            print(hit.report(), flush=True)
    print(*report.lines(), sep="\n")
    return 1 if report.hits else 0


if __name__ == "__main__":
    sys.exit(main())
