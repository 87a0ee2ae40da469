"""Names say what they mean: the rules of CONTRIBUTING, counted.

``python tests/test_names.py [PATH …]`` lists what breaks them.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("config", "processors", "sinks", "streams")
BANNED = {"told", "made", "found", "known", "each", "it"}
BANNED_FUNCTIONS = {"read", "take", "tell", "put", "settle", "hear", "stand"} | BANNED
VAGUE = {
    *("MOST", "LEAST", "LONGEST", "SHORTEST", "LARGEST", "SMALLEST", "FEWEST", "REACH", "LIMIT"),
    *("ENOUGH", "FEW", "MANY", "NEAR", "FAR", "LARGE", "SMALL", "LONG", "SHORT", "TO", "OF"),
}
# Verbs of standard interfaces (files, servers, codecs, command lines), and the steps, which are verbs.
VERBS = {
    *(
        "open",
        "write",
        "close",
        "start",
        "stop",
        "handle",
        "run",
        "main",
        "serve",
        "send",
        "load",
        "poll",
        "submit",
    ),
    *(
        "encode",
        "decode",
        "parse",
        "pack",
        "unpack",
        "sniff",
        "fold",
        "classify",
        "compare",
        "connect",
        "configure",
    ),
    *(
        "check",
        "create",
        "tokenize",
        "export",
        "import",
        "list",
        "resolve",
        "show",
        "normalise",
        "deduplicate",
    ),
}
STANDARD = {"log", "T", "K", "V", "cli"}
# Names of the event's schema, which readers outside know, that are the field's word for something else too.
CONTRACT = {"Topic"}  # a Media Topic of IPTC in an event, a log of Kafka in `streams`
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# Beside the modules that open packages; 220 when the house was redesigned, the rest is room for features: the last four
# for the table of answers, the indices of a server, their templates, held stories, attachments of mail, content of NewsML 1,
# what the broker refuses, and two for places: towns by the words beside them, and the map of a story; people, bodies, namesakes
# and speech in scripts without capitals are concepts of their own, and a command makes the list of given names anew,
# and one the table of tickers; the last two for
# versions of stories, and settings of the stores; words and pieces of words of every language came for the
# rules of names outside English, and words in names, signs beside places and scores of places for a house without words.
# The size of events, the examples that the pipeline makes, and raw items at the desk.
# The forms in which others read stories: what they share, ninjs, NewsML-G2, feeds; and how answers of the API travel.
# Seven are the step that clusters.
# The rest is room for the query language, saved searches and alerts, users of the desk, what an operator needs, and sources
# beside feeds.
MAX_FILES = 400
MAX_LINES = 500


@dataclass(frozen=True, slots=True)
class Name:
    """A name where it is bound."""

    path: Path
    line: int
    rule: str
    name: str

    @property
    def package(self) -> str:
        return self.path.relative_to(ROOT).parts[0]

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.name} ({self.rule})"


@cache
def sources() -> dict[Path, ast.Module]:
    return {
        path: ast.parse(path.read_text("utf-8"))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }


@cache
def nouns() -> set[str]:
    """The nouns of the glossary, in lower case."""
    page = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    return {match[1].lower() for match in re.finditer(r"^- \*\*([^*]+)\*\*: \S", page, re.MULTILINE)}


def words_of(name: str) -> list[str]:
    return re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name.removesuffix("_"))


def is_noun(word: str) -> bool:
    word = word.lower()
    singulars = {word, word.removesuffix("s"), word.removesuffix("es"), re.sub("ies$", "y", word)}
    return bool(singulars & nouns())


def _bound(node: ast.stmt) -> Iterator[tuple[str, int]]:
    """The names that a statement of a module or class binds."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name, node.lineno
    elif isinstance(node, ast.Assign):
        yield from ((target.id, node.lineno) for target in node.targets if isinstance(target, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id, node.lineno
    elif isinstance(node, (ast.If, ast.Try)):
        for child in node.body:
            yield from _bound(child)


@cache
def protocol_methods() -> set[str]:
    """The methods that the tree's protocols ask for: whoever has them follows a protocol."""
    return {
        method.name
        for tree in sources().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any("Protocol" in ast.unparse(base) for base in node.bases)
        for method in node.body
        if isinstance(method, FUNCTIONS)
    }


def _banned(node: ast.AST) -> Iterator[tuple[str, int]]:
    """The banned names that a node binds: parameters, functions, members of a class or of an object."""
    if isinstance(node, ast.arg) and node.arg.strip("_") in BANNED:
        yield node.arg, node.lineno
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        if node.name.strip("_") in BANNED_FUNCTIONS:
            yield node.name, node.lineno
    elif isinstance(node, ast.ClassDef):
        members = (
            member for child in node.body if not isinstance(child, FUNCTIONS) for member in _bound(child)
        )
        yield from ((name, line) for name, line in members if name.strip("_").lower() in BANNED)
    elif (
        isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr.strip("_") in BANNED
    ):
        yield node.attr, node.lineno


def banned_names() -> Iterator[Name]:
    for path, tree in sources().items():
        classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        asked = {child for node in classes for child in node.body if _asked_by_protocol(child)}
        for node in ast.walk(tree):
            if node not in asked:
                yield from (Name(path, line, "banned", name) for name, line in _banned(node))


def _asked_by_protocol(node: ast.AST) -> bool:
    return isinstance(node, FUNCTIONS) and node.name in protocol_methods()


def vague_constants() -> Iterator[Name]:
    for path, tree in sources().items():
        for node in tree.body:
            for name, line in _bound(node):
                if name.strip("_") in VAGUE:
                    yield Name(path, line, "vague", name)


def one_word_names() -> Iterator[Name]:
    for path, tree in sources().items():
        for node in tree.body:
            for name, line in _bound(node):
                if name.startswith("_") or name in STANDARD or len(words_of(name)) != 1:
                    continue
                if not is_noun(name) and name.strip("_").lower() not in VERBS:
                    yield Name(path, line, "one word", name)


def names_twice() -> Iterator[Name]:
    """Public classes and types of one name in several modules."""
    places: defaultdict[str, list[Name]] = defaultdict(list)
    for path, tree in sources().items():
        for node in tree.body:
            for name, line in _bound(node):
                if name[:1].isupper() and not name.isupper() and name not in STANDARD | CONTRACT:
                    places[name].append(Name(path, line, "twice", name))
    for same in places.values():
        if len(same) > 1:
            yield from same


RULES = {
    "banned": banned_names,
    "vague": vague_constants,
    "one word": one_word_names,
    "twice": names_twice,
}


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("rule", RULES)
def test_names_keep_the_rule(rule: str, package: str) -> None:
    left = [name for name in RULES[rule]() if name.package == package]
    assert left == [], "\n".join(str(name) for name in left)


def test_every_noun_of_the_glossary_is_told_once() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    counts = Counter(re.findall(r"^- \*\*([^*]+)\*\*", page, re.MULTILINE))
    assert [noun for noun, count in counts.items() if count > 1] == []
    assert len(nouns()) == len(counts), "each noun has its meaning behind a colon"


def test_the_tree_has_few_files() -> None:
    assert len([path for path in sources() if path.name != "__init__.py"]) <= MAX_FILES


def test_files_are_short() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in sources()}
    assert {path: length for path, length in lengths.items() if length > MAX_LINES} == {}


if __name__ == "__main__":
    wanted = [str((ROOT / argument).resolve()) for argument in sys.argv[1:]] or [str(ROOT)]
    for rule, names in RULES.items():
        left = [name for name in names() if any(str(name.path).startswith(path) for path in wanted)]
        for name in left:
            print(name)
        print(f"{rule}: {dict(Counter(name.package for name in left))}", file=sys.stderr)
