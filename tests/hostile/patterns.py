"""Every compiled pattern of the tree, and texts on which it could take long: its pumps.

A pump is a unit that repeats, between a prefix that leads there and an ending at which a match fails. Units are made of
what the parts of a pattern accept (`re._parser`): what a loop repeats, what two neighbours both accept, the choices of
an alternation, the whole pattern, and the way into each loop, since a search begins at each place of a text anew.
"""

from __future__ import annotations

import gc
import importlib
import inspect
import pkgutil
import random
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.hostile.timing import Hang, limited

PARSER: Final[Any] = importlib.import_module("re._parser")  # private, but what `re` itself parses with
ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("config", "processors", "streams", "sinks")
LANGUAGES: Final = tuple(sorted(path.stem for path in (ROOT / "config/lexicon/languages").glob("*.toml")))
NEAR_MISSES: Final = ("", "!", "\x00", "\n", "<", "a", '"', " x")
CANDIDATES: Final = tuple("abAZ09_-.,:;/\\'\"()[]{}<>&#@!?=+*%|^~$ \t\n\réßЖ中“”’«»–—\x01\x03\xa0\u200b")


@dataclass(frozen=True, slots=True)
class Pump:
    """A text of any size. `pattern` is what it was made of."""

    prefix: str
    unit: str
    suffix: str
    pattern: str = ""

    def text(self, size: int) -> str:
        """The unit again and again; `size` in characters."""
        return self.prefix + self.unit * max(1, size // len(self.unit)) + self.suffix


@cache
def all_patterns() -> tuple[re.Pattern[Any], ...]:
    """All patterns of the tree, in a fixed order.

    Modules are imported, samples run through the pipeline for patterns that stand in functions, and the lexicon's rules
    of every language compiled.
    """
    for name in PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, name + "."):
            if ".generate" not in module.name:
                importlib.import_module(module.name)
    _run_samples()
    _compile_lexicon()
    gc.unfreeze()  # a runtime that ran in this process froze what it had loaded, which `get_objects` leaves out
    found = [value for value in gc.get_objects() if isinstance(value, re.Pattern)]
    foreign = _of_libraries(found)
    patterns = {(p.pattern, p.flags): p for p in found if id(p) not in foreign}
    return tuple(sorted(patterns.values(), key=lambda p: (str(p.pattern), p.flags)))


def patterns_in(*prefixes: str) -> dict[str, re.Pattern[Any]]:
    """The patterns that modules hold whose names begin so, by where they stand, and what functions without arguments keep."""
    all_patterns()
    found: dict[str, re.Pattern[Any]] = {}
    for name in sorted(sys.modules):
        if name.startswith(prefixes):
            for key, value in vars(sys.modules[name]).items():
                is_kept = hasattr(value, "cache_info") and not inspect.signature(value).parameters
                for place, pattern in _patterns_of(value() if is_kept else value, f"{name}.{key}"):
                    found.setdefault(place, pattern)
    return found


def _patterns_of(value: Any, place: str) -> Iterator[tuple[str, re.Pattern[Any]]]:
    """The patterns in a value of a module, with where they stand."""
    members: Iterable[tuple[object, Any]] = ()
    if isinstance(value, re.Pattern):
        yield place, value
    elif isinstance(value, tuple | list | set | frozenset):
        members = enumerate(value)
    elif isinstance(value, dict):
        members = value.items()
    elif not isinstance(value, type):
        names = getattr(value, "__dataclass_fields__", getattr(value, "__struct_fields__", ()))
        members = [(name, getattr(value, name)) for name in names]
    for name, member in members:
        yield from _patterns_of(member, f"{place}.{name}")


def _of_libraries(found: Sequence[re.Pattern[Any]]) -> set[int]:
    """Those that stand in a module or class of a library, by their identity."""
    foreign: set[int] = set()
    for owner in gc.get_referrers(*found):
        if not isinstance(owner, dict):
            continue
        module = owner.get("__name__") or owner.get("__module__")
        if isinstance(module, str) and module.partition(".")[0] not in PACKAGES:
            foreign |= {id(value) for value in owner.values() if isinstance(value, re.Pattern)}
    return foreign


def _run_samples() -> None:
    from config.settings import Poll, Settings
    from processors.model.event import RawItem
    from streams.pollers.feed import Feed
    from streams.pollers.fetch import Answer
    from streams.pollers.judge import judge_answer
    from streams.pollers.state import FeedState
    from streams.process import Input, Pipeline
    from streams.topology import STEPS

    folders = ("config/samples", "tests/processors/normalise/golden", "tests/processors/segment/golden")
    paths = [path for folder in folders for path in sorted((ROOT / folder).iterdir()) if path.is_file()]
    run = Pipeline(STEPS, Settings())
    run([Input(path.name, None, RawItem(path.read_bytes(), "2026-01-22T16:00:00Z")) for path in paths])
    for path in paths:
        answer = Answer("https://wire.example/", 200, {"Cache-Control": "max-age=60"}, path.read_bytes())
        judge_answer(Feed("hill", answer.url), FeedState(), answer, Poll(), 1.7e9, 0.5)


def _compile_lexicon() -> None:
    from config.lexicon import language
    from processors.dates.timex.grammar import Grammar

    for tag in LANGUAGES:
        words = language(tag)
        if words and words.dates:
            built = Grammar(words, words.dates)
            KEPT.append(built)
            for head in list(built._heads):
                built._rules_from(head)


KEPT: Final[list[object]] = []  # so that what was compiled stays to be found


def pumps_of(pattern: re.Pattern[Any], chance: random.Random) -> list[Pump]:
    """The pumps of a pattern, each once."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    try:
        flags = pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else pattern.flags
        tree: Any = PARSER.parse(source, flags)
    except re.error:
        return []
    writer = _Writer(chance)
    ways = list(writer.loops(list(tree), ""))
    whole = writer.sample(list(tree), 2)
    if whole:
        ways.append(("", whole))
        ways.append(("", whole[: max(1, len(whole) // 2)]))
    pumps = [
        Pump(prefix, unit, ending, source)
        for prefix, unit in dict.fromkeys(ways)
        if unit
        for ending in (chance.choice(NEAR_MISSES), "")
    ]
    return list(dict.fromkeys(pumps))


class _Writer:
    """Writes texts that a parsed pattern accepts, by chance."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._groups: dict[int, str] = {}

    def loops(self, nodes: Sequence[Any], before: str) -> Iterator[tuple[str, str]]:
        """(way there, unit) of each loop among nodes and below them; before each, the way itself as a unit."""
        previous: set[str] = set()
        for at, (kind, argument) in enumerate(nodes):
            name = str(kind)
            accepted: set[str] = set()
            if name.endswith("_REPEAT"):
                accepted = self._accepted(list(argument[2]))
                yield from self._ways_into(argument, before, previous & accepted)
            for inner in _inner_nodes(name, argument):
                yield from self.loops(inner, before)
            before += self.sample([nodes[at]], 1)
            previous = (previous if name in {"AT", "ASSERT", "ASSERT_NOT"} else set()) | accepted

    def _ways_into(self, repeat: Any, before: str, shared: set[str]) -> Iterator[tuple[str, str]]:
        low, high, inner = repeat
        if int(high) - int(low) <= 3:
            return
        for repeats in (1, 2):
            yield before, self.sample(list(inner), repeats)
        if shared:
            yield before, self._chance.choice(sorted(shared))
        if before:
            yield "", before
            yield "", before + self.sample(list(inner), 1)

    def sample(self, nodes: Sequence[Any], repeats: int) -> str:
        """A text that the nodes accept; loops run `repeats` times where they may."""
        return "".join(self._sample(str(kind), argument, repeats) for kind, argument in nodes)

    def _sample(self, name: str, argument: Any, repeats: int) -> str:  # noqa: PLR0911 -- one for each kind of node
        if name == "LITERAL":
            return chr(argument)
        if name in {"IN", "ANY", "NOT_LITERAL"}:
            chars = sorted(self._chars(name, argument))
            return self._chance.choice(chars) if chars else ""
        if name.endswith("_REPEAT"):
            low, high, inner = argument
            return "".join(
                self.sample(list(inner), repeats) for _ in range(min(max(int(low), repeats), int(high)))
            )
        if name == "SUBPATTERN":
            words = self.sample(list(argument[3]), repeats)
            self._groups[argument[0]] = words
            return words
        if name == "ATOMIC_GROUP":
            return self.sample(list(argument), repeats)
        if name == "BRANCH":
            return self.sample(list(self._chance.choice(argument[1])), repeats)
        return self._groups.get(argument, "") if name == "GROUPREF" else ""

    def _accepted(self, nodes: Sequence[Any]) -> set[str]:
        """The characters with which nodes may begin, roughly."""
        for kind, argument in nodes:
            name = str(kind)
            if name == "LITERAL":
                return {chr(argument)}
            if name in {"IN", "ANY", "NOT_LITERAL"}:
                return self._chars(name, argument)
            if name.endswith("_REPEAT"):
                return self._accepted(list(argument[2]))
            if name == "SUBPATTERN":
                return self._accepted(list(argument[3]))
            if name == "BRANCH":
                return set().union(*(self._accepted(list(branch)) for branch in argument[1]))
        return set()

    def _chars(self, name: str, argument: Any) -> set[str]:
        if name == "ANY":
            return set(CANDIDATES) - {"\n"}
        if name == "NOT_LITERAL":
            return set(CANDIDATES) - {chr(argument)}
        kinds = [(str(kind), member) for kind, member in argument]
        chars: set[str] = set()
        for kind, member in kinds:
            if kind == "LITERAL":
                chars.add(chr(member))
            elif kind == "RANGE":
                chars |= {chr(member[0]), chr(member[1])}
            elif kind == "CATEGORY":
                chars |= {char for char in CANDIDATES if _is_in(str(member), char)}
        return set(CANDIDATES) - chars if kinds[0][0] == "NEGATE" else chars


def _inner_nodes(name: str, argument: Any) -> list[list[Any]]:
    """The sequences of nodes below a node."""
    if name == "BRANCH":
        return [list(branch) for branch in argument[1]]
    if name == "ATOMIC_GROUP":
        return [list(argument)]
    place = {"SUBPATTERN": 3, "ASSERT": 1, "ASSERT_NOT": 1}.get(name, 2 if name.endswith("_REPEAT") else -1)
    return [list(argument[place])] if place >= 0 else []


def _is_in(category: str, char: str) -> bool:
    shapes = {"DIGIT": char.isdigit(), "SPACE": char.isspace(), "WORD": char.isalnum() or char == "_"}
    name = category.removeprefix("CATEGORY_")
    return not shapes[name[4:]] if name.startswith("NOT_") else shapes[name]


def seconds_at(pattern: re.Pattern[Any], pump: Pump, size: int, limit_s: float) -> float:
    """The time of all matches of a pattern in a pump's text; `limit_s` where it did not end."""
    import time

    text: Any = pump.text(size)
    if isinstance(pattern.pattern, bytes):
        text = text.encode("utf-8")
    start = time.thread_time()
    try:
        with limited(limit_s):
            for _ in pattern.finditer(text):
                pass
    except Hang:
        return limit_s
    return time.thread_time() - start
