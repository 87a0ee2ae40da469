"""Finds the expressions of one language: the longest rule at each word that some rule can start with."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from functools import cache

from config import Misconfigured
from config.lexicon import DateRule, Dates, LanguageWords, forms, language
from config.word_files import NO_PATTERN

TOKEN = re.compile(r"(?<!\w)(?:['’](?=\d))?\w+")
DIGITS = "0"
APOSTROPHE = "'"
# Between the words of an expression. Without an end, two runs side by side would take the square of a run of blanks.
BLANKS = r"\s{1,20}"
OPTIONAL_BLANKS = r"\s{0,20}"
MAX_LOOK_CHARS = 60  # characters on either side that a rule's conditions see

# Digits of Arabic, Persian and full width stand beside those of ASCII.
_NIL, _ONE, _TWO, _THREE = (
    f"[{digit}{chr(0x660 + digit)}{chr(0x6F0 + digit)}{chr(0xFF10 + digit)}]" for digit in range(4)
)
_ONE_DIGIT = rf"{_NIL}?(?!{_NIL})\d"
DAY = rf"(?P<day>{_ONE_DIGIT}|(?:{_ONE}|{_TWO})\d|{_THREE}(?:{_NIL}|{_ONE}))"
MONTH_NUMBER = rf"(?P<month_number>{_ONE_DIGIT}|{_ONE}(?:{_NIL}|{_ONE}|{_TWO}))(?!\d)"
YEAR = rf"(?P<year>{_ONE}\d\d\d|{_TWO}{_NIL}\d\d)(?!\d)"
_HAN_DIGITS = "零一二三四五六七八九"
HAN_YEAR = rf"(?P<year>{_ONE}\d\d\d|{_TWO}{_NIL}\d\d|[一二][〇○{_HAN_DIGITS}]{{3}})(?!\d)"
_HAN_VALUES = str.maketrans(_HAN_DIGITS + "〇○", "012345678900")
# Capitals alone: "xx" and "mix" are words. Cyrillic copy writes Х for X and І for I as often as not.
CENTURY_NUMERAL = (
    r"(?:(?-i:[XХ]{0,2}(?:[IІ][XХ]|[IІ]V|V?[IІ]{0,3})(?<=[IІVXХ]))|0?[1-9]|1\d|2[01])(?![.,]?\d)"
)
_FIXED = ("day", "month_number", "year")
# Groups that stand for two members: two of a unit in one word, and an era whose years `n` counts.
_DOUBLE = frozenset({"pair", "era"})
ROMAN_HEAD = "roman"
# A token that may begin with a Roman numeral: "XXI", and with an ordinal's ending "XXIe".
_ROMAN_TOKEN = re.compile("[iіvxх]{1,6}[^\\W\\d_]{0,3}")
_ROMAN_NUMERAL = re.compile("[IІVXХ]{1,6}")
_ROMAN_VALUES = {"i": 1, "і": 1, "v": 5, "x": 10, "х": 10}


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression's span and what its words mean, as codes of the lexicon."""

    start: int
    end: int
    kind: str
    year: int | None = None
    month: int | None = None
    month_number: int | None = None
    day: int | None = None
    first: int | None = None
    second: int | None = None
    weekday: int | None = None
    shift: int | None = None
    ordinal: int | None = None
    quarter: int | None = None
    century: int | None = None
    decade: int | None = None
    short: int | None = None
    relative_day: int | None = None
    n: int | None = None
    unit: str | None = None
    clock: str | None = None
    season: str | None = None
    part: str | None = None
    this_part: str | None = None
    reference: str | None = None
    holiday: str | None = None
    every: str | None = None


_NUMBERS = {field.name for field in fields(Expression) if "int" in str(field.type)} - {"start", "end"}
_NAMES = {field.name for field in fields(Expression)} - {"start", "end", "kind"}


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A rule with its expressions compiled."""

    kind: str
    pattern: re.Pattern[str]
    after: re.Pattern[str] | None
    not_after: re.Pattern[str] | None
    before: re.Pattern[str] | None
    not_before: re.Pattern[str] | None
    unless: re.Pattern[str] | None

    def match(self, text: str, at: int, end: int) -> re.Match[str] | None:
        match = self.pattern.match(text, at, end)
        return match if match and match.end() > at and self._is_allowed(text, match, end) else None

    def _is_allowed(self, text: str, match: re.Match[str], end: int) -> bool:
        if self.unless and self.unless.search(match.group()):
            return False
        if self.after or self.not_after:
            left = text[max(0, match.start() - MAX_LOOK_CHARS) : match.start()]
            if (self.after and not self.after.search(left)) or (
                self.not_after and self.not_after.search(left)
            ):
                return False
        if self.before and not self.before.match(text, match.end(), end):
            return False
        return not (self.not_before and self.not_before.match(text, match.end(), end))


NO_RULES: tuple[re.Pattern[str] | None, list[_Compiled]] = (None, [])


Tables = dict[str, dict[str, str]]  # by table and word: its code
_CODED = ("weekday", "weekdays", "unit", "units", "clock", "season", "shift", "number", "ordinal", "relative_day",
          "part", "this_part", "reference", "holiday", "every", "century", "short", "pair", "era")  # fmt: skip


class Grammar:
    """The compiled rules of one language."""

    def __init__(self, words: LanguageWords, dates: Dates) -> None:
        self._tables = tables_of(words)
        self._words = dates
        self._codes = {
            table: {form: code for word, code in entries.items() for form in _spellings(word)}
            for table, entries in self._tables.items()
        }
        for singular, plural in (("unit", "units"), ("weekday", "weekdays")):
            self._codes[singular] = self._codes[singular] | self._codes.get(plural, {})
        self._lead = re.compile(f"(?<!\\w)(?:{_blanks(self._words.lead)})$", re.IGNORECASE)
        self._end = "" if dates.unspaced else r"(?!\w)"  # of a word
        self._clitics = re.compile(rf"(?:{dates.clitics})(?=\w{{2}})")
        self._heads: dict[str, list[int]] = defaultdict(list)
        for number, rule in enumerate(self._words.rule):
            heads = _heads(rule.pattern, self._tables)
            for word in {head[:1] for head in heads} if dates.unspaced else heads:
                self._heads[word].append(number)
        self._token = _first_letters(self._heads) if dates.unspaced else TOKEN
        self._compiled_rules: dict[int, _Compiled] = {}
        self._rules: dict[str, tuple[re.Pattern[str], list[_Compiled]]] = {}

    @property
    def patterns(self) -> list[str]:
        """The regular expression of each rule, tables filled in."""
        return [self._rule(number).pattern.pattern for number in range(len(self._words.rule))]

    def expressions(self, text: str, start: int, end: int) -> Iterator[Expression]:
        """The expressions of text[start:end], in order, never overlapping."""
        done = start
        for at, word in self._words_of(text, start, end):
            gate, rules = self._rules_from(word)
            if gate is None or at < done or not gate.match(text, at, end):
                continue
            best, kind = None, ""
            for rule in rules:
                match = rule.match(text, at, end)
                if match and (best is None or match.end() > best.end()):
                    best, kind = match, rule.kind
            if best:
                first = self._first(text, best, kind, done)
                done = best.end()
                yield self._expression(best, kind, first)

    def _words_of(self, text: str, start: int, end: int) -> Iterator[tuple[int, str]]:
        """Where an expression may begin, with the key of the rules that may begin there."""
        for token in self._token.finditer(text, start, end):
            yield token.start(), _key(token.group())
            if self._words.clitics is not NO_PATTERN and (clitic := self._clitics.match(token.group())):
                yield token.start() + clitic.end(), _key(token.group()[clitic.end() :])

    def _rules_from(self, word: str) -> tuple[re.Pattern[str] | None, list[_Compiled]]:
        """The rules that begin with a word, compiled when the first text has it: most words never come."""
        if word not in self._rules:
            numbers = self._heads.get(word, [])
            if ROMAN_HEAD in self._heads and _ROMAN_TOKEN.fullmatch(word):
                numbers = sorted({*numbers, *self._heads[ROMAN_HEAD]})
            if not numbers:
                return NO_RULES
            rules = [self._rule(number) for number in numbers]
            self._rules[word] = (_gate(rules), rules)
        return self._rules[word]

    def _rule(self, number: int) -> _Compiled:
        if number not in self._compiled_rules:
            self._compiled_rules[number] = self._compiled(self._words.rule[number])
        return self._compiled_rules[number]

    def _first(self, text: str, match: re.Match[str], kind: str, done: int) -> int:
        """Where an expression starts with the words before it that belong to it (early, late)."""
        if kind not in self._words.lead_kinds:
            return match.start()
        lead = self._lead.search(text, max(done, match.start() - MAX_LOOK_CHARS), match.start())
        return lead.start() if lead else match.start()

    def _expression(self, match: re.Match[str], kind: str, start: int) -> Expression:
        parts: dict[str, int | str] = {}
        for group, words in match.groupdict().items():
            if words is not None and (group in _NAMES or group in _DOUBLE):
                code = self._code(group, words)
                parts[group] = int(code) if group in _NUMBERS else code
        if "pair" in parts:
            parts |= {"unit": parts.pop("pair"), "n": 2}
        if "era" in parts:
            parts["year"] = int(parts.pop("era")) + int(parts.pop("n", 1))
        return Expression(start, match.end(), kind, **parts)  # type: ignore[arg-type]

    def _code(self, group: str, words: str) -> str:
        if group == "n":
            return str(self._number(words))
        if group == "century" and _ROMAN_NUMERAL.fullmatch(words):
            return str(read_roman(words))
        if group == "year" and not words.isdecimal():
            return words.translate(_HAN_VALUES)
        return self._codes.get(group, {}).get(_flat(words), words)

    def _number(self, words: str) -> int:
        if words[0].isdigit():
            return int(re.sub(r"\D", "", words))
        numbers = self._codes["number"]
        return sum(int(numbers.get(_flat(word), 0)) for word in re.split(r"[\s-]+", words))

    def _compiled(self, rule: DateRule) -> _Compiled:
        def conditions(pattern: str) -> re.Pattern[str] | None:
            return re.compile(self._filled(pattern), re.IGNORECASE) if pattern else None

        body = self._filled(rule.pattern)
        return _Compiled(
            rule.kind,
            re.compile(f"(?:{body}){self._end}", re.IGNORECASE),
            conditions(rule.after),
            conditions(rule.not_after),
            conditions(rule.before),
            conditions(rule.not_before),
            conditions(rule.unless),
        )

    def _filled(self, pattern: str) -> str:
        return re.sub(r"\{([a-z]\w*)\}", lambda table: self._table(table[1]), _blanks(pattern))

    def _table(self, name: str) -> str:
        unspaced = self._words.unspaced
        digits_end = r"(?!\d)" if unspaced else r"(?!\w)"
        if name == "year":
            return HAN_YEAR if unspaced else YEAR
        if name == "month_number":
            return MONTH_NUMBER
        if name == "century":
            ordinals = (
                _alternatives(self._tables["century"], self._end) if self._tables["century"] else "(?!)"
            )
            return f"(?P<century>{CENTURY_NUMERAL}|{ordinals})"
        if name == "day":
            return rf"{DAY}(?:{self._words.day_suffix})?{digits_end}"
        tables = self._tables
        if name == "n":
            numbers = _alternatives(tables["number"], self._end)
            tens = _alternatives(
                (word for word, code in tables["number"].items() if 20 <= int(code) < 100), self._end
            )
            return rf"(?P<n>\d{{1,3}}(?:[.,]\d{{3}}){{1,5}}|\d{{1,4}}|{tens}[\s-]{{1,20}}{numbers}|{numbers}){digits_end}"
        group = {"units": "unit", "weekdays": "weekday"}.get(name, name)
        words = {**tables["unit"], **tables["units"]} if name == "units" else tables[name]
        return f"(?P<{group}>{_alternatives(words, self._end)})"


@cache
def grammar(tag: str) -> Grammar | None:
    """The grammar of a language subtag, or None where there is no lexicon."""
    words = language(tag)
    return Grammar(words, words.dates) if words and words.dates else None


def tables_of(words: LanguageWords) -> Tables:
    """The words of a language's date expressions with their codes, its calendar's among them."""
    dates, calendar = words.dates, words.calendar
    if dates is None:
        raise Misconfigured("date expressions need rules")
    tables = {name: {word: str(code) for word, code in getattr(dates, name).items()} for name in _CODED}
    tables["month"] = {word: str(code) for word, code in dates.month.items()}
    tables["short_month"] = {}
    if calendar is not None:
        short = {month: str(number) for month, number in forms(calendar.short_months, 1)}
        tables["short_month"] = short
        tables["month"] |= {month: str(number) for month, number in forms(calendar.months, 1)} | short
        tables["weekday"] |= {day: str(number) for day, number in forms(calendar.weekdays)}
    tables["many"] = dict.fromkeys(dates.many, "X")
    return tables


def read_roman(numeral: str) -> int:
    """The value of a Roman numeral below forty, of Latin or Cyrillic letters."""
    values = [_ROMAN_VALUES[letter] for letter in numeral.lower()]
    return sum(-value if value < max(values[at:]) else value for at, value in enumerate(values))


def _first_letters(heads: Iterable[str]) -> re.Pattern[str]:
    """A letter that a rule can start with, where no blanks part words; a digit only as the first of its number."""
    letters = "".join(re.escape(head) for head in heads if head not in {DIGITS, APOSTROPHE})
    return re.compile(rf"[{letters}]|(?<!\d)\d")


def _gate(rules: list[_Compiled]) -> re.Pattern[str]:
    """One expression that matches where any of the rules can, so that most words cost one attempt."""
    nameless = (re.sub(r"\(\?P<\w+>", "(?:", rule.pattern.pattern) for rule in rules)
    return re.compile("|".join(nameless), re.IGNORECASE)


def _flat(words: str) -> str:
    return re.sub(r"\s+", " ", words.lower().replace("’", "'"))


def _spellings(word: str) -> tuple[str, str]:
    """A word in small letters, and what its capitals become in small letters: Turkish MAYIS is "mayıs"."""
    return _flat(word.upper()), _flat(word)


def _key(token: str) -> str:
    if token.isalpha():
        return token.lower()
    if token[0] in "'’":
        return APOSTROPHE
    return DIGITS if token[0].isdigit() else re.sub(r"\d.*", "", token.lower())


def _blanks(pattern: str) -> str:
    """Blanks outside brackets become white space."""
    return re.sub(
        r"\[[^\]]*\]|( \?)|( )",
        lambda m: OPTIONAL_BLANKS if m[1] else BLANKS if m[2] else m[0],
        pattern,
    )


def _alternatives(words: Iterable[str], word_end: str) -> str:
    """Any of the words, longest first; capitals stand for themselves."""
    patterns = []
    for word in sorted(words, key=len, reverse=True):
        body = re.escape(word).replace(r"\ ", BLANKS).replace("'", "['’]")
        either = f"(?-i:{body}|{_upper(body)})" if word[0].isupper() else body
        patterns.append(either + (word_end if word[-1].isalnum() else ""))
    return f"(?:{'|'.join(patterns)})"


def _upper(body: str) -> str:
    """A word's pattern in capitals; its escapes stay."""
    return re.sub(r"\\.|\w", lambda part: part[0] if part[0][0] == "\\" else part[0].upper(), body)


def _heads(pattern: str, tables: Tables) -> set[str]:
    """The keys of the tokens that a pattern can start with."""
    heads: set[str] = set()
    for branch in _split(pattern):
        heads |= _branch_heads(branch, tables)
    return heads


def _branch_heads(branch: str, tables: Tables) -> set[str]:
    if branch.startswith("(?:"):
        inner, rest = _group(branch)
        heads = _heads(inner, tables)
        return heads | _branch_heads(rest[1:], tables) if rest.startswith("?") else heads
    if branch.startswith("{"):
        name = branch[1 : branch.index("}")]
        if name in _FIXED:
            return {DIGITS, "一", "二"} if name == "year" else {DIGITS}
        if name == "century":
            return {DIGITS, ROMAN_HEAD, *(_key(re.split(r"\W", word)[0]) for word in tables["century"])}
        table = tables["number"] if name == "n" else tables[name]
        starting = {**table, **tables["unit"]} if name == "units" else table
        return {_key(re.split(r"\W", word)[0]) for word in starting} | ({DIGITS} if name == "n" else set())
    if branch[:1].isalnum():
        return {_key(word) for word, _ in _first_words(branch)}
    return {APOSTROPHE if branch.startswith("['") else DIGITS}


def _first_words(branch: str) -> set[tuple[str, bool]]:
    """The words that a branch may start with, and whether the branch goes on behind each: кажд(?:ый|ую) has two."""
    words, at = {("", False)}, 0
    while at < len(branch):
        if branch[at].isalnum():
            pieces, at = {(branch[at], False)}, at + 1
        elif branch[at] == "[" and branch[at + 1 : branch.index("]", at)].isalnum():
            end = branch.index("]", at)
            pieces, at = {(letter, False) for letter in branch[at + 1 : end]}, end + 1
        elif branch.startswith("(?:", at):
            inner, rest = _group(branch[at:])
            pieces, at = (
                {piece for part in _split(inner) for piece in _first_words(part)},
                len(branch) - len(rest),
            )
        else:
            return {(word, True) for word, _ in words}
        if branch.startswith("?", at):
            pieces, at = pieces | {("", False)}, at + 1
        words = {
            (word + piece, ended or ends)
            for word, ended in words
            for piece, ends in ([("", True)] if ended else pieces)
        }
    return words


def _group(branch: str) -> tuple[str, str]:
    """What stands in the group that a branch starts with, and what follows it."""
    depth = 0
    for at, char in enumerate(branch):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return branch[3:at], branch[at + 1 :]
    raise ValueError(f"unbalanced brackets in {branch!r}")


def _split(pattern: str) -> list[str]:
    """The alternatives of a pattern's top level."""
    depth, parts, last = 0, [], 0
    for at, char in enumerate(pattern):
        depth += (char == "(") - (char == ")")
        if char == "|" and depth == 0:
            parts.append(pattern[last:at])
            last = at + 1
    return [*parts, pattern[last:]]
