"""Compare the events of two checkouts over the same inputs, byte for byte, and name the members that differ.

    python -m tests.benchmarks.compare_events ../before config/samples tests/processors/segment/golden

Both run ``wiredesk process`` with one clock and this interpreter. The status is 1 where an event differs; what both make
is counted, what only one makes or what differs is listed by input and member.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

HERE = Path(__file__).parents[2]
NOW = "2026-11-30T08:00:00Z"
SHOWN_DIFFERENCES = 40


def events_of(checkout: Path, paths: list[str], steps: str) -> list[bytes]:
    """The lines that the code of a checkout makes of the paths."""
    code = "from streams.cli import main; main()"
    command = [sys.executable, "-c", code, "process", "--now", NOW, "--steps", steps, "--errors", os.devnull]
    environment = os.environ | {
        "PYTHONPATH": str(checkout.resolve()),
        "PYTHONHASHSEED": "0",
        "PYTHONSAFEPATH": "1",
    }
    done = subprocess.run([*command, *paths], env=environment, stdout=subprocess.PIPE, check=False)
    if done.returncode not in {0, 1}:
        raise SystemExit(f"{checkout}: wiredesk process ended with status {done.returncode}")
    return done.stdout.splitlines()


def differences(before: Any, after: Any, member: str = "$") -> Iterator[tuple[str, str, str]]:
    """(member, value before, value after) of everything that differs."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            yield from differences(before.get(name), after.get(name), f"{member}.{name}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, pair in enumerate(zip(before, after, strict=True)):
            yield from differences(*pair, f"{member}[{number}]")
    elif before != after:
        yield (
            member,
            json.dumps(before, ensure_ascii=False)[:160],
            json.dumps(after, ensure_ascii=False)[:160],
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("before", type=Path, help="a checkout of the commit to compare with")
    parser.add_argument("paths", nargs="+", help="what `wiredesk process` takes")
    parser.add_argument("--after", type=Path, default=HERE, help="the other checkout; this one by default")
    parser.add_argument("--steps", default="normalise,deduplicate,segment,tag,cluster")
    options = parser.parse_args()
    before, after = (
        events_of(tree, options.paths, options.steps) for tree in (options.before, options.after)
    )
    pairs = list(zip_longest(before, after, fillvalue=b"null"))
    changed = [(json.loads(old), json.loads(new)) for old, new in pairs if old != new]
    members: Counter[str] = Counter()
    for old, new in changed:
        event = new or old
        for number, (member, was, now) in enumerate(differences(old, new)):
            members[member.partition("[")[0]] += 1
            if sum(members.values()) <= SHOWN_DIFFERENCES:
                name = event["provenance"].get("input") or event["story"]["uri"]
                print(*(() if number else (name,)), f"  {member}: {was} -> {now}", sep="\n")
    print(f"{len(pairs)} events, {len(pairs) - len(changed)} the same byte for byte, {len(changed)} differ")
    for member, count in members.most_common():
        print(f"  {member}: {count}")
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
