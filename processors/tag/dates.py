"""Date expressions and their TIMEX3 values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice

from processors.dates.timex.grammar import Expression, Grammar, grammar
from processors.dates.timex.resolution import DAY, Context, Timex, resolve
from processors.dates.timex.tense import TenseCues, tense_cues
from processors.model.event import DateExpression, Event, Segment

# Of one story: the longest chronicles have some hundreds. Each is read with the clause around it in a quarter of a
# millisecond, so that more take the tagger longer than a second.
MAX_DATES = 2000
MAX_DATE_CHARS = 100_000  # of a text; dates behind them are not read, since no dispatch is as long
DATED_SEGMENTS = frozenset(
    {"note", "headline", "dateline", "paragraph", "subhead", "caption", "list", "table"}
)
NEEDS_TENSE = frozenset(
    {
        "date",
        "day-of-month",
        "month",
        "weekday",
        "weekend",
        "season",
        "quarter",
        "half",
        "in-ahead",
        "holiday",
        "holiday-week",
        "week-of",
    }
)
DEGREES_AN_HOUR = 15
MAX_HOURS_TO_MIDNIGHT = 2  # of a date without a time, in a zone by law: the sun's is up to two hours off
QUARTER_VALUE = re.compile(r"\d{4}-Q[1-4]")
TOLD_QUARTERS = frozenset({"quarter", "same-quarter"})
# What turns copy about a quarter to other periods: "for the nine months", "in 1988".
ENDS_QUARTER = frozenset({"year", "half", "fiscal", "duration", "month", "shift-month", "shift-unit"})
SENTENCE_END = re.compile(r"[.!?]\W{1,9}(?=[^\Wa-z\d_])")
MAX_OPENING_CHARS = (
    12  # before the year that opens a paragraph: "In late 2019,"; in later words it is one of several
)
# Between a year and a day or month of it: "two years ago, on Christmas Eve", "last year in March".
AFTER_YEAR = re.compile(r",?\s(?:\w{1,3}\s)?(?<!and )")
ISO_WEEK = re.compile(r"(\d{4})-W(\d\d)")


def find_dates(event: Event) -> tuple[DateExpression, ...]:
    """The dates that the text tells, in order, resolved against the dateline's or the story's date.

    The reference date is the dateline's, else that of the story's `version_created` at the dateline's place, else the day it was received. In a
    caption that tells its own date, that date is the reference. Languages without a lexicon give ().
    """
    language = event.language.tag.split("-")[0] if event.language else "en"
    rules, cues, reference = grammar(language), tense_cues(language), _reference_date(event)
    if rules is None or cues is None or reference is None:
        return ()
    segments = event.segments
    if segments is None:
        segments = (Segment(0, len(event.text), "paragraph"),)
    dates: list[DateExpression] = []
    reader = _DateReader(event.text, rules, cues, reference)
    for segment in segments:
        if segment.start >= MAX_DATE_CHARS or len(dates) >= MAX_DATES:
            break
        if segment.inside == "text" and segment.kind in DATED_SEGMENTS:
            dates += islice(reader.dates(segment), MAX_DATES - len(dates))
    return tuple(dates)


def _reference_date(event: Event) -> date | None:
    if event.dateline and event.dateline.date:
        told = _read_day(event.dateline.date)
        if told:
            return told
    created = event.story.version_created
    if created and (day := _read_day(created)):
        longitude = event.dateline.places[0].longitude if event.dateline and event.dateline.places else None
        return day if longitude is None else _local_day(created, longitude) or day
    return _read_day(event.provenance.received) if event.provenance else None


def _read_day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if text and DAY.match(text) else None
    except ValueError:
        return None


def _local_day(created: str, longitude: float) -> date | None:
    """The day that it is at the place of the dateline, by the sun, when the story is made.

    A whole hour near midnight there is a date without a time, which stays.
    """
    try:
        moment = datetime.fromisoformat(created)
        local = moment + timedelta(hours=round(longitude / DEGREES_AN_HOUR))
    except (ValueError, OverflowError):
        return None
    is_whole = not (moment.minute or moment.second)
    near_midnight = min(local.hour, 24 - local.hour) <= MAX_HOURS_TO_MIDNIGHT
    return moment.date() if is_whole and near_midnight else local.date()


@dataclass(frozen=True, slots=True)
class _YearScope:
    """A past year that copy has set: for the whole paragraph where it opens it, else for the sentence."""

    year: int
    end: int
    opens_paragraph: bool

    def holds(self, text: str, at: int) -> bool:
        """Whether a month or a day at that offset, in the same paragraph, is of the year."""
        return self.opens_paragraph or not SENTENCE_END.search(text, self.end, at)


class _DateReader:
    """Reads one text from its start, and remembers the day and year that it told last."""

    def __init__(self, text: str, rules: Grammar, cues: TenseCues, reference: date) -> None:
        self._text, self._rules, self._cues, self._reference = text, rules, cues, reference
        self._antecedent: date | None = None
        self._year: int | None = None
        self._quarter: str | None = None
        self._year_scope: _YearScope | None = None
        self._said: date | None = None
        self._year_beside: tuple[int, int] | None = None  # a year, and where the words that tell it end

    def dates(self, segment: Segment) -> Iterator[DateExpression]:
        expressions = list(
            self._rules.expressions(self._text, segment.start, min(segment.end, MAX_DATE_CHARS))
        )
        reference = _own_date(expressions) if segment.kind == "caption" else None
        self._year_scope = self._year_beside = None
        for expression in expressions:
            timex = resolve(expression, self._context(expression, reference or self._reference))
            if timex is None:
                continue
            self._remember(segment, expression, timex)
            start, end = expression.start, expression.end
            yield DateExpression(start, end, self._text[start:end], timex.value, timex.type)

    def _context(self, expression: Expression, reference: date) -> Context:
        tense = 0
        if expression.kind in NEEDS_TENSE:
            tense = self._cues.tense(self._text, expression.start, expression.end)
        scope = self._year_scope
        year = scope.year if scope and scope.holds(self._text, expression.start) else None
        if self._year_beside and AFTER_YEAR.fullmatch(self._text, self._year_beside[1], expression.start):
            year, tense = self._year_beside[0], 0
        return Context(reference, tense, self._antecedent, self._year, self._quarter, year, self._said)

    def _remember(self, segment: Segment, expression: Expression, timex: Timex) -> None:
        if QUARTER_VALUE.fullmatch(timex.value):
            if expression.kind in TOLD_QUARTERS:
                self._quarter = timex.value
        elif expression.kind in ENDS_QUARTER:
            self._quarter = None
        if expression.year is not None and timex.type == "DATE":
            opens = expression.start - segment.start <= MAX_OPENING_CHARS
            is_scope = expression.year < self._reference.year and (opens or expression.kind != "year")
            self._year_scope = _YearScope(expression.year, expression.end, opens) if is_scope else None
        if timex.type == "DATE" and timex.value[:4].isdigit():
            self._year = int(timex.value[:4])
            self._said = _first_day(timex.value) or self._said
            if DAY.fullmatch(timex.value):
                self._antecedent = date.fromisoformat(timex.value)
            if len(timex.value) == len("2026"):
                self._year_beside = (self._year, expression.end)


def _first_day(value: str) -> date | None:
    """The first day of a day, week, month or year."""
    try:
        if week := ISO_WEEK.fullmatch(value):
            return date.fromisocalendar(int(week[1]), int(week[2]), 1)
        return date.fromisoformat((value + "-01-01")[: len("2026-01-01")])
    except ValueError:
        return None


def _own_date(expressions: list[Expression]) -> date | None:
    """The full date that a caption gives, None where it gives none."""
    for expression in expressions:
        if expression.kind == "date" and expression.year and expression.day:
            timex = resolve(expression, Context(date(expression.year, 1, 1), 0))
            if timex:
                return date.fromisoformat(timex.value)
    return None
