"""Whether a regular expression can take exponential time, told from the expression alone.

A backtracking engine takes exponential time on an expression that can read one word in exponentially many ways: where
the expression's automaton has two different paths for the same word from a state back to itself (Weber and Seidl 1991,
"On the degree of ambiguity of finite automata"; Weideman, van der Merwe, Berglund and Watson 2016). The automaton here
is Glushkov's: a state for every letter or class of the expression, and an edge where one may follow another. What
stands in atomic groups is not looked at; a reference to a group counts as nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any, Final

MAX_WRITTEN_OUT: Final = (
    8  # times of a repeat that is written out; more count as without end, which errs on the safe side
)
MAX_WAYS: Final = 2  # that are counted: two ways are as bad as more
MAX_STATES: Final = (
    2000  # of an expression; a longer one is not looked at, and no operator writes one by hand
)
MAX_PAIRED_STATES: Final = 250  # of an expression whose pairs of states are all looked at; of a longer one only repeats of repeats are
SAMPLES: Final = " \t\n-_.,'0aAzZéЖ中\x00"  # one letter of each kind; those of the expression come on top
WORD: Final = re.compile(r"\w")
SPACE: Final = re.compile(r"\s")
DIGIT: Final = re.compile(r"\d")
ZERO_WIDTH: Final = frozenset(
    {sre.AT, sre.GROUPREF, sre.GROUPREF_EXISTS, sre.ATOMIC_GROUP, sre.POSSESSIVE_REPEAT}
)
REPEAT_OPERATIONS: Final = frozenset({sre.MAX_REPEAT, sre.MIN_REPEAT})


@dataclass(frozen=True, slots=True)
class _Fragment:
    """A piece of the expression: the states that it can begin and end with, and in how many ways it can be empty.

    A state stands as often as there are ways.
    """

    first: tuple[int, ...] = ()
    last: tuple[int, ...] = ()
    empty: int = 1


@dataclass(slots=True)
class _Automaton:
    """The letters of each state, and how many ways lead from one to the next."""

    alphabet: frozenset[str]
    letters: list[frozenset[str]] = field(default_factory=list)
    edges: Counter[tuple[int, int]] = field(default_factory=Counter)
    loops: bool = False

    def sequence(self, tree: Iterable[tuple[Any, Any]]) -> _Fragment:
        fragment = _Fragment()
        for operation, argument in tree:
            fragment = self._concatenate(fragment, self._fragment_of(operation, argument))
        return fragment

    def _fragment_of(self, operation: Any, argument: Any) -> _Fragment:
        if operation in REPEAT_OPERATIONS:
            return self._repeat(*argument)
        if operation is sre.SUBPATTERN:
            return self.sequence(argument[3])
        if operation is sre.BRANCH:
            return _alternate([self.sequence(branch) for branch in argument[1]])
        if operation in {sre.ASSERT, sre.ASSERT_NOT}:
            self.sequence(argument[1])
            return _Fragment()
        if operation in ZERO_WIDTH:
            return _Fragment()
        self.letters.append(_letters(operation, argument, self.alphabet))
        state = (len(self.letters) - 1,)
        return _Fragment(state, state, empty=0)

    def _repeat(self, least: int, most: int, body: Any) -> _Fragment:
        if most <= MAX_WRITTEN_OUT:
            repeats = _Fragment()
            for number in range(int(most)):
                part = self.sequence(body)
                optional = part.empty or int(number >= least)
                repeats = self._concatenate(repeats, _Fragment(part.first, part.last, optional))
            return repeats
        part = self.sequence(body)
        self._follow(part.last, part.first)
        self.loops = True
        return _Fragment(part.first, part.last, int(part.empty > 0 or least == 0))

    def _concatenate(self, one: _Fragment, other: _Fragment) -> _Fragment:
        self._follow(one.last, other.first)
        return _Fragment(
            (*one.first, *other.first * one.empty),
            (*other.last, *one.last * other.empty),
            min(MAX_WAYS, one.empty * other.empty),
        )

    def _follow(self, ends: Sequence[int], starts: Sequence[int]) -> None:
        self.edges.update((end, start) for end in ends for start in starts)


def is_exponential(expression: str) -> bool:
    """Whether some text can make the search for an expression take exponential time.

    Raises:
        re.error: it is no regular expression.
    """
    tree = _parser.parse(expression)
    automaton = _Automaton(frozenset(SAMPLES) | _letters_of(tree))
    automaton.sequence(tree)
    if not automaton.loops or len(automaton.letters) > MAX_STATES:
        return False
    reach = _reachable_states(len(automaton.letters), automaton.edges)
    if any(ways > 1 and reach[after] >> before & 1 for (before, after), ways in automaton.edges.items()):
        return True
    return len(automaton.letters) <= MAX_PAIRED_STATES and any(
        _is_ambiguous(state, automaton, reach)
        for state in range(len(automaton.letters))
        if reach[state] >> state & 1
    )


def _is_ambiguous(state: int, automaton: _Automaton, reach: list[int]) -> bool:
    """Whether two different paths lead from a state back to it over the same word."""
    inside = {other for other in range(len(reach)) if reach[state] >> other & 1 and reach[other] >> state & 1}
    after: dict[int, list[int]] = {member: [] for member in inside}
    for one, other in automaton.edges:
        if one in inside and other in inside:
            after[one].append(other)
    ahead: dict[tuple[int, int], list[tuple[int, int]]] = {}
    behind: dict[tuple[int, int], list[tuple[int, int]]] = {}
    waiting = [(state, state)]
    while waiting:
        pair = waiting.pop()
        if pair in ahead:
            continue
        ahead[pair] = [
            (one, other)
            for one in after[pair[0]]
            for other in after[pair[1]]
            if automaton.letters[one] & automaton.letters[other]
        ]
        for following in ahead[pair]:
            behind.setdefault(following, []).append(pair)
        waiting += ahead[pair]
    return any(one != other for one, other in _closure((state, state), behind))


def _closure(
    start: tuple[int, int], edges: dict[tuple[int, int], list[tuple[int, int]]]
) -> set[tuple[int, int]]:
    closed: set[tuple[int, int]] = set()
    waiting = [start]
    while waiting:
        pair = waiting.pop()
        if pair not in closed:
            closed.add(pair)
            waiting += edges.get(pair, ())
    return closed


def _reachable_states(count: int, edges: Iterable[tuple[int, int]]) -> list[int]:
    """For each state the states that it leads to in one step or more, as bits (Warshall's closure)."""
    reach = [0] * count
    for before, after in edges:
        reach[before] |= 1 << after
    for through in range(count):
        for state in range(count):
            if reach[state] >> through & 1:
                reach[state] |= reach[through]
    return reach


def _alternate(parts: Sequence[_Fragment]) -> _Fragment:
    return _Fragment(
        tuple(state for part in parts for state in part.first),
        tuple(state for part in parts for state in part.last),
        min(MAX_WAYS, sum(part.empty for part in parts)),
    )


def _letters_of(tree: Any) -> frozenset[str]:
    """The letters that an expression spells, in both cases."""
    letters: set[str] = set()
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tuple) and len(node) == 2 and node[0] in {sre.LITERAL, sre.NOT_LITERAL}:
            letters |= {chr(node[1]).lower()[:1], chr(node[1]).upper()[:1]}
        elif isinstance(node, tuple) and len(node) == 2 and node[0] is sre.RANGE:
            letters |= set(map(chr, node[1]))
        elif isinstance(node, (list, tuple, _parser.SubPattern)):
            waiting += list(node)
    return frozenset(letters)


def _letters(operation: Any, argument: Any, alphabet: frozenset[str]) -> frozenset[str]:
    """What a letter or class of the expression reads, of the alphabet."""
    if operation is sre.LITERAL:
        return frozenset({chr(argument), chr(argument).lower()[:1], chr(argument).upper()[:1]})
    return frozenset(letter for letter in alphabet if _matches_letter(operation, argument, letter))


def _matches_letter(operation: Any, argument: Any, letter: str) -> bool:
    """Whether a letter or class of the expression reads a letter; case does not count."""
    cases = {ord(letter), *map(ord, letter.lower()), *map(ord, letter.upper())}
    if operation is sre.LITERAL:
        return bool(argument in cases)
    if operation is sre.NOT_LITERAL:
        return bool(argument != ord(letter))
    if operation is sre.RANGE:
        return any(argument[0] <= code <= argument[1] for code in cases)
    if operation is sre.CATEGORY:
        return _in_category(str(argument), letter)
    if operation is sre.IN:
        members = [member for member in argument if member[0] is not sre.NEGATE]
        return any(_matches_letter(member[0], member[1], letter) for member in members) is (
            len(members) == len(argument)
        )
    return True  # ANY


def _in_category(name: str, letter: str) -> bool:
    kind = WORD if "WORD" in name else SPACE if "SPACE" in name else DIGIT
    return (kind.match(letter) is not None) is ("NOT" not in name)
