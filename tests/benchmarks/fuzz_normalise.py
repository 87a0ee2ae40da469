"""Fuzz the readers for minutes: no input may crash or hang them, nor make an event that is not clean.

``python -m tests.benchmarks.fuzz_normalise --family feeds --seconds 300 [--seeds FOLDER]`` runs one family of formats,
by coverage with atheris (libFuzzer) where that is installed, else by random mutations of the seeds. It is not a
dependency of the project: install it in an environment of its own (``pip install atheris``). A fault is written beside
its input to ``--faults`` and ends the run with status 1.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final

GOLDEN: Final = Path(__file__).parents[1] / "processors" / "normalise" / "golden"
RECEIVED: Final = "2026-01-22T16:00:00Z"
SLOW: Final = 5.0  # CPU seconds that 100 kB may take
LONGEST: Final = 100_000  # bytes of an input
FAMILIES: Final[
    dict[str, tuple[tuple[str, ...], tuple[str, ...]]]
] = {  # seeds, and formats that are forced in turn
    "feeds": (("rss", "atom", "rdf", "sitemap"), ("",)),
    "json": (("ninjs", "json-feed"), ("", "ninjs")),
    "newsml": (("newsml",), ("",)),
    "nitf": (("nitf",), ("",)),
    "wire": (("iptc", "anpa"), ("", "iptc-7901", "anpa-1312")),
    "dispatches": (("dispatches", "latin"), ("", "plain-text")),
    "mail": (("email",), ("", "email")),
}
TOKENS: Final = (
    b"\x01", b"\x02", b"\x03", b"\x04", b"ZCZC", b"NNNN", b"<![CDATA[", b"]]>", b"&amp;", b"&#0;", b"&#xd800;", b"\xef\xbb\xbf", b"\xff",
    b"<p>", b"</p>", b"<!--", b"<!DOCTYPE", b"<!ENTITY", b'"', b"null", b"{}", b"[]", b"1e400", b"\\ud800", b"0000-00-00", b"9" * 20, b"=\r\n",
)  # fmt: skip


class Fault(Exception):
    """An event that is not as promised, or took too long."""


class Target:
    """What is tried on each input; counts outcomes."""

    def __init__(self, formats: tuple[str, ...]) -> None:
        from config.settings import Normalise
        from processors.errors import Rejected
        from processors.model.codec import encode
        from processors.model.event import Event, RawItem
        from processors.normalise import normalise
        from processors.normalise.text import clean_text

        self._formats, self._settings = formats, Normalise()
        self._encode, self._normalise, self._clean, self._item = encode, normalise, clean_text, RawItem
        self._rejected, self._event = Rejected, Event
        for seed in (
            "Paluu satamaan on huomenna.",
            "Headline\n\nPORT ALDER (NNA) - The ferry stops on Monday.",
        ):
            normalise(RawItem(seed.encode(), RECEIVED), self._settings)  # loading models is nobody's fault
        self.outcomes: Counter[str] = Counter()
        self.slowest = 0.0

    def __call__(self, payload: bytes) -> None:
        format_ = self._formats[len(payload) % len(self._formats)] or None
        start = time.process_time()
        try:
            found = self._normalise(self._item(payload[:LONGEST], RECEIVED, format=format_), self._settings)
        except self._rejected as error:
            self.outcomes[error.type] += 1
            found = []
        for each in found:
            if isinstance(each, self._event):
                self.outcomes["event"] += 1
                self._encode(each)
                if each.text != self._clean(each.text):
                    raise Fault("the text is not clean")
            else:
                self.outcomes[each.type] += 1
        spent = time.process_time() - start
        self.slowest = max(self.slowest, spent)
        if spent > SLOW:
            raise Fault(f"{spent:.1f} s of CPU")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--family", choices=FAMILIES, required=True)
    options.add_argument("--seconds", type=int, default=60)
    options.add_argument("--seeds", type=Path, help="a folder of further documents")
    options.add_argument("--faults", type=Path, default=Path(tempfile.gettempdir()) / "wiredesk-faults")
    told = options.parse_args()
    told.faults.mkdir(parents=True, exist_ok=True)
    names, formats = FAMILIES[told.family]
    seeds = [path.read_bytes() for path in sorted(GOLDEN.iterdir())
             if path.name.startswith(names) and "expected" not in path.name]  # fmt: skip
    if told.seeds:
        seeds += [path.read_bytes() for path in sorted(told.seeds.rglob("*")) if path.is_file()]
    seeds = [seed[:LONGEST] for seed in seeds]
    if importlib.util.find_spec("atheris"):
        _by_coverage(formats, seeds, told.seconds, told.faults)
    else:
        _by_chance(formats, seeds, told.seconds, told.faults)


def _by_coverage(formats: tuple[str, ...], seeds: list[bytes], seconds: int, faults: Path) -> None:
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["processors", "feedparser"]):
        target = Target(formats)
    folder = Path(tempfile.mkdtemp(prefix="wiredesk-seeds-"))
    for number, seed in enumerate(seeds):
        (folder / str(number)).write_bytes(seed)
    limits = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-timeout=20", "-rss_limit_mb=4096"]
    atheris.Setup(
        [sys.argv[0], *limits, f"-artifact_prefix={faults}/", "-print_final_stats=1", str(folder)], target
    )
    atheris.Fuzz()


def _by_chance(formats: tuple[str, ...], seeds: list[bytes], seconds: int, faults: Path) -> None:
    chance, target = random.Random(7), Target(formats)  # noqa: S311 -- mutations are no secret
    end, runs = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        payload = _mutated(chance, seeds)
        runs += 1
        try:
            target(payload)
        except Exception as error:  # noqa: BLE001 -- whatever leaves the step is what is looked for
            path = faults / f"{type(error).__name__}-{runs}"
            path.write_bytes(payload)
            print(f"{type(error).__name__}: {error} ({path})")
            sys.exit(1)
    print(f"{runs:,} inputs, slowest {target.slowest:.2f} s CPU, {dict(target.outcomes.most_common())}")


def _mutated(chance: random.Random, seeds: list[bytes]) -> bytes:
    """A seed with some cuts, repeats, swaps, random bytes and tokens in it."""
    made = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 6)):
        at = chance.randint(0, len(made))
        to = min(len(made), at + chance.choice((0, 1, 4, 30, 400)))
        kind = chance.randrange(5)
        if kind == 0:
            made[at:to] = b""
        elif kind == 1:
            made[at:to] = chance.choice(TOKENS) * chance.choice((1, 1, 1, 3, 200))
        elif kind == 2:
            made[at:to] = chance.randbytes(chance.randint(1, 8))
        elif kind == 3:
            made[at:at] = made[at:to] * chance.choice((1, 2, 50))
        else:
            other = chance.choice(seeds)
            start = chance.randint(0, len(other))
            made[at:to] = other[start : start + chance.choice((10, 100, 1000))]
    return bytes(made[:LONGEST])


if __name__ == "__main__":
    main()
