"""From the text of a query to its tree (docs/searching.md), by descent.

A blank joins parts that must all fit and binds closer than ``OR``; ``-`` and ``NOT`` bind closest. What is wrong is
raised as `QueryError`, which says what and where.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, cast

from sinks.query.fields import FIELD_NAMES, QueryField, find_field, nearest_name
from sinks.query.tree import (
    AnyOf,
    Circle,
    EveryStory,
    NotOf,
    NumberKind,
    NumberRange,
    QuerySpan,
    QueryTree,
    ValueKind,
    ValueTerm,
    WordPlace,
    WordTerm,
    join_all,
)
from sinks.query.values import compared_value, read_circle, read_numbers, read_times
from sinks.search_words import tokens

# Of a query as it is typed. A list of a hundred names has some 2,000; more are no question any more.
MAX_QUERY_CHARS: Final = 4000
# Parts of a query. A saved search lists some dozens of names; an index walks one list of stories for each.
MAX_QUERY_TERMS: Final = 100
MAX_DEPTH: Final = 20  # of brackets and negations; people write two or three
# Letters of a beginning, and beginnings in one query. Shorter or more of them stand for most of the words of the index.
MIN_PREFIX_CHARS: Final = 2
MAX_PREFIXES: Final = 8
# Signs of keyboards in other scripts, and typographic quotation marks: one for one, so that places stay.
_SAME_SIGNS: Final = str.maketrans("（）：＊－＂“”„‟«»", '():*-"' + '"' * 6)
_FIELD: Final = re.compile(r"([A-Za-z][A-Za-z_]{0,29}):")
# A quotation mark between two Hebrew letters is how gershayim are typed: it belongs to its word.
_IN_WORD: Final = r'(?<=[\u0590-\u05ff])"(?=[\u0590-\u05ff])'
_BARE: Final = re.compile(rf'(?:[^\s"()]|{_IN_WORD})+')
_PHRASE: Final = re.compile(rf'"((?:[^"]|{_IN_WORD})*)"')
_OPERATORS: Final = {"OR", "AND", "NOT"}


class QueryError(ValueError):
    """A query that says nothing that can be looked for: what is wrong, where (in code points), and what helps."""

    def __init__(self, message: str, start: int, length: int, hint: str = "") -> None:
        """`hint` is a sentence of its own, or empty."""
        super().__init__(f"{message} (at {start + 1}){f'; {hint}' if hint else ''}")
        self.message, self.start, self.length, self.hint = message, start, length, hint


@dataclass(frozen=True, slots=True)
class _Token:
    """``(``, ``)``, ``-``, ``OR``, ``AND``, ``NOT``, ``:`` (a field before a bracket) or ``term``."""

    kind: str
    start: int
    end: int
    value: str = ""
    field: QueryField | None = None
    prefix: bool = False
    quoted: bool = False


@lru_cache(maxsize=512)  # an open page asks the same again and again; trees are frozen
def parse_query(text: str) -> QueryTree:
    """The tree of a query.

    Raises:
        QueryError: something is wrong with it.
    """
    if len(text) > MAX_QUERY_CHARS:
        raise QueryError(
            f"the query has {len(text)} characters, and may have {MAX_QUERY_CHARS}",
            MAX_QUERY_CHARS, len(text) - MAX_QUERY_CHARS, "make several of it, or use a field such as topic:",
        )  # fmt: skip
    tokens_ = _read_tokens(text)
    terms = [token for token in tokens_ if token.kind == "term"]
    if len(terms) > MAX_QUERY_TERMS:
        raise QueryError(
            f"the query has {len(terms)} terms, and may have {MAX_QUERY_TERMS}",
            terms[MAX_QUERY_TERMS].start, len(text) - terms[MAX_QUERY_TERMS].start, "make several of it",
        )  # fmt: skip
    tree = _Parser(text, tokens_).parse()
    if isinstance(tree, EveryStory) and text.strip():
        raise QueryError("there is neither letter nor digit to look for", 0, len(text))
    return tree


def check_query(text: str) -> QueryError | None:
    """What is wrong with a query; None for nothing."""
    try:
        parse_query(text)
    except QueryError as error:
        return error
    return None


def _read_tokens(typed: str) -> list[_Token]:
    text, at, tokens_ = typed.translate(_SAME_SIGNS), 0, []
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        token = _read_token(text, at)
        tokens_.append(token)
        at = token.end
    return tokens_


def _read_token(text: str, at: int) -> _Token:
    sign, following = text[at], text[at + 1 : at + 2]
    if sign in "()":
        return _Token(sign, at, at + 1)
    if sign == "-" and following and not following.isspace() and following != ")":
        return _Token("-", at, at + 1)
    named = _FIELD.match(text, at)
    field = _named_field(text, named) if named else None
    if named and field:
        return _read_value(text, at, named.end(), field)
    return _read_term(text, at, at, None)


def _named_field(text: str, named: re.Match[str]) -> QueryField | None:
    """The field before a colon; None where the colon is a mark of a text: "Update: …", an address."""
    field, rest = find_field(named[1]), text[named.end() :]
    if field is None and (not rest or rest[0].isspace() or rest.startswith("//")):
        return None
    start, length = named.start(), len(named[1])
    if field is None:
        near = nearest_name(named[1], FIELD_NAMES)
        hint = (
            f"did you mean {near}:?"
            if near
            else f"fields are {', '.join(dict.fromkeys(f.name for f in FIELD_NAMES.values()))}"
        )
        raise QueryError(
            f"there is no field {named[1]!r}", start, length, f"{hint} Words with a colon go in quotes"
        )
    if not rest or rest[0].isspace() or rest[0] == ")":
        raise QueryError(
            f"{named[0]} has no value", start, length + 1, f"write {field.example}, without a blank"
        )
    return field


def _read_value(text: str, start: int, at: int, field: QueryField) -> _Token:
    if text[at] == "(":
        return _Token(":", start, at, field=field)
    if text[at] == "-" and field.kind in {"words", "value"}:
        raise QueryError(
            f"a value does not begin with -: {text[start : at + 1]}",
            start,
            at + 1 - start,
            f"write -{field.name}:…",
        )
    return _read_term(text, start, at, field)


def _read_term(text: str, start: int, at: int, field: QueryField | None) -> _Token:
    if text[at] == '"':
        phrase = _PHRASE.match(text, at)
        if phrase is None:
            raise QueryError(
                "the quotation mark that opens here is not closed", at, 1, "add a second one, or leave it out"
            )
        prefix = text[phrase.end() : phrase.end() + 1] == "*"
        return _Token("term", start, phrase.end() + prefix, phrase[1], field, prefix, quoted=True)
    bare = _BARE.match(text, at)
    if bare is None:  # a bracket that closes what none has opened, behind a field
        raise QueryError("a value is missing here", start, at + 1 - start)
    value = bare[0]
    if field is None and value in _OPERATORS:
        return _Token(value, start, bare.end())
    prefix = value.endswith("*")
    return _Token("term", start, bare.end(), value.rstrip("*") if prefix else value, field, prefix)


class _Parser:
    """Reads the tokens of one query from left to right."""

    def __init__(self, text: str, tokens_: list[_Token]) -> None:
        self._text, self._tokens, self._at, self._depth, self._prefixes = text, tokens_, 0, 0, 0

    def parse(self) -> QueryTree:
        tree = self._parse_any(None)
        if token := self._next():
            raise QueryError(
                "this bracket closes what none has opened",
                token.start,
                1,
                "leave it out, or add a ( before it",
            )
        return tree

    def _next(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _parse_any(self, field: QueryField | None) -> QueryTree:
        parts = [self._parse_all(field)]
        while (token := self._next()) and token.kind == "OR":
            self._at += 1
            parts.append(self._parse_all(field))
            for part in parts[-2:]:
                if isinstance(part, EveryStory):
                    raise self._lonely(token)
        if len(parts) == 1:
            return parts[0]
        return AnyOf(
            tuple(inner for part in parts for inner in (part.parts if isinstance(part, AnyOf) else (part,)))
        )

    def _lonely(self, operator: _Token) -> QueryError:
        return QueryError(
            f"{operator.kind} needs something on both sides" if operator.kind != "NOT" else "NOT needs something behind it",
            operator.start, operator.end - operator.start, f'write "{operator.kind.lower()}" to look for the word',
        )  # fmt: skip

    def _parse_all(self, field: QueryField | None) -> QueryTree:
        parts: list[QueryTree] = []
        joining: _Token | None = None
        while (token := self._next()) and token.kind not in {"OR", ")"}:
            if token.kind == "AND":
                if joining or not parts:
                    raise self._lonely(token)
                joining, self._at = token, self._at + 1
                continue
            parts.append(self._parse_one(field))
            joining = None
        if joining:
            raise self._lonely(joining)
        return join_all(tuple(parts))

    def _parse_one(self, field: QueryField | None) -> QueryTree:
        token = self._tokens[self._at]
        self._at += 1
        if token.kind == "term":
            return self._read_leaf(token, token.field or field)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise QueryError(
                f"brackets lie more than {MAX_DEPTH} deep here", token.start, 1, "write it flatter"
            )
        part = (
            self._parse_negation(token, field)
            if token.kind in {"-", "NOT"}
            else self._parse_group(token, field)
        )
        self._depth -= 1
        return part

    def _parse_negation(self, token: _Token, field: QueryField | None) -> QueryTree:
        following = self._next()
        if following is None or following.kind in {"OR", "AND", ")"}:
            raise self._lonely(replace(token, kind="NOT"))
        part = self._parse_one(field)
        return part if isinstance(part, EveryStory) else NotOf(part)

    def _parse_group(self, token: _Token, field: QueryField | None) -> QueryTree:
        opening = token
        if token.kind == ":":
            if field is not None:
                raise QueryError(
                    "a field stands within the brackets of another", token.start, token.end - token.start
                )
            field, opening = token.field, self._tokens[self._at]
            self._at += 1
        part = self._parse_any(field)
        closing = self._next()
        if closing is None:
            raise QueryError(
                "the bracket that opens here is not closed",
                opening.start,
                1,
                "add a ) behind it, or leave it out",
            )
        self._at += 1
        if isinstance(part, EveryStory):
            raise QueryError(
                "there is nothing between these brackets", opening.start, closing.end - opening.start
            )
        return part

    def _read_leaf(self, token: _Token, field: QueryField | None) -> QueryTree:
        span = QuerySpan(token.start, token.end - token.start)
        try:
            if field is None or field.kind == "words":
                return self._words(token, field, span)
            return self._value(token, field, span)
        except ValueError as error:
            if isinstance(error, QueryError):
                raise
            message, hint = error.args
            raise QueryError(message, span.start, span.length, hint) from None

    def _words(self, token: _Token, field: QueryField | None, span: QuerySpan) -> QueryTree:
        """The words of a term; what has neither letter nor digit is passed over, as a mark between words is."""
        text = unicodedata.normalize("NFKC", token.value)  # parts of a letter are typed apart on some systems
        found_words = list(tokens(text))
        compared = tuple(word for _, _, word in found_words)
        if not compared:
            if field is None:
                return EveryStory()
            raise QueryError(
                f"{field.name}: has neither letter nor digit",
                span.start,
                span.length,
                f"write {field.example}",
            )
        typed = tuple(text[start:end] for start, end in dict.fromkeys(found[:2] for found in found_words))
        place = cast("WordPlace", field.name if field else "any")
        return WordTerm(compared, typed, self._is_prefix(token, compared[-1], span), place, span)

    def _is_prefix(self, token: _Token, last: str, span: QuerySpan) -> bool:
        """Whether a term is a beginning. A sign that is a word by itself has no other words that begin with it."""
        if not token.prefix or _is_sign(last):
            return False
        if len(last) < MIN_PREFIX_CHARS:
            raise QueryError(
                f"{last}* stands for too many words",
                span.start,
                span.length,
                f"write {MIN_PREFIX_CHARS} letters at least",
            )
        self._prefixes += 1
        if self._prefixes > MAX_PREFIXES:
            raise QueryError(
                f"a query has at most {MAX_PREFIXES} beginnings of words", span.start, span.length
            )
        return True

    def _value(self, token: _Token, field: QueryField, span: QuerySpan) -> QueryTree:
        text = token.value + ("*" if token.prefix and field.kind != "value" else "")
        if not text.strip():
            raise ValueError(f"{field.name}: has no value", f"write {field.example}")
        match field.kind:
            case "number":
                return NumberRange(cast("NumberKind", field.name), *read_numbers(text), span)
            case "time":
                return replace(read_times(field.name, text), typed=f"{field.name}:{text}", span=span)
            case "circle":
                circle = read_circle(text)
                return Circle(circle.latitude, circle.longitude, circle.kilometres, span)
        kind = cast("ValueKind", field.name)
        value = compared_value(kind, token.value, prefix=token.prefix)
        if token.prefix:
            self._is_prefix(token, value, span)
        return ValueTerm(kind, value, token.prefix, token.value, span)


def _is_sign(word: str) -> bool:
    """Whether a word is one sign of a script that puts no blanks between words."""
    return len(word) == 1 and not word.isascii() and len(list(tokens(word + word))) == 2
