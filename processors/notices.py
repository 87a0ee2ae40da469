"""Whether an item has the form of a notice that kills a story, and how such a notice names its story.

A kill is known by its form and not by a phrase, since news is told of kills as well. Its form is one of

- a **mark** where marks stand (the head or end of the headline, a part of the slug line, the head of a note or line):
  one that means nothing else, or one in capitals beside words that are none;
- a **request** to editors not to use a story;
- a **statement**, in a short item without a dateline, that the item's own agency withdraws a story, or that a story is
  withdrawn where something else in the item is a notice's; above a story's headline, where only notes stand, in any item.

Words in quotation marks are somebody's or a headline: they count for nothing, and neither does a sentence that says who
said it. The words are data, by language (`config.lexicon.KillWords`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import islice
from typing import Final, NamedTuple

from config.lexicon import KillWords, every_language, join_patterns
from processors.layout.printed import match_dateline

# Of a notice that states something: a longer one is a story; a shorter figure misses notices that give their reasons.
MAX_NOTICE_CHARS: Final = 900
HEAD_CHARS: Final = 400  # of the text of a longer item, above which requests stand
MAX_LINE_CHARS: Final = 400  # of a headline or slug line
MAX_NOTE_CHARS: Final = 1500  # of an editors' note
MAX_SENTENCE_CHARS: Final = 500
MIN_WRAPPED_CHARS: Final = 40  # of a line that goes on in the next: shorter lines are headlines and marks
MAX_MARK_WORDS: Final = 4  # of a mark at a headline's end

# One pair of quotation marks with what is in it, at most so long; bounded, so that an open mark costs no search.
_QUOTED: Final = re.compile(
    r"[“„«»”]([^“”„«»\n]{1,200})[”“»«]|\"([^\"\n]{1,200})\"|``([^`\n]{1,200})''|[「『《]([^」』》\n]{1,120})[」』》]"
    r"|(?<!\w)[‘‚]([^‘‚\n]{1,200}?)[’‘](?!\w)|(?<!\w)'([^'\n]{1,200}(?:'\w[^'\n]{0,200})?)'(?!\w)"
)
# Marks between words. Without an end, two runs of them side by side would take the square of their length.
_MARKS: Final = r"\W{0,30}"
_QUOTE: Final = "“”"  # what stands for a quotation in a sentence
_SENTENCE_END: Final = re.compile(r"(?<=[^\W\d_]{2}[.!?])\s+(?!\d)|(?<=[”\d)][.!?])\s+(?!\d)|[。！？\n]+")
_SENTENCE_STARTS: Final = re.compile(r"(?<!\s)\s++[^\W\d_a-zß-ÿ]")
_WORD: Final = re.compile(r"[^\W_]+")
# From its beginning only: a run of parts would be read again from each of them.
_JOINED_SLUG: Final = r"(?-i:(?<![\w./-])[A-Z][\w.]{0,40}(?:[-/]{1,3}[\w.]{1,40}){1,12})"
_SLUG: Final = rf"(?:{_JOINED_SLUG}|(?-i:[A-Z]{{4,}}\w{{0,40}}))"
_AGENT: Final = rf"(?P<agent>[^\s.,;:{_QUOTE}]+(?: [^\s.,;:{_QUOTE}]+){{0,2}})"
_PART_ENDS: Final = (" - ", " – ", " — ", " -- ", "—", "**", "==")
# Marks of urgency and versions that stand before that of a kill: a corrected kill kills.
_PRECEDING_MARKS: Final = "corrected|correction|correct|repeat|rpt|urgent|urgente|update|alert|attention|atención|achtung|eil|berichtigung|corrige"
_MARK_PUNCTUATION: Final = " *=+-–—:.!()[]【】（）"
_LINE_ENDS: Final = ".!?:;。！？"
_BRACKETS: Final = {")": "(", "]": "[", "】": "【", "）": "（"}


class KillNotice(NamedTuple):
    """That an item kills, and by what: a mark, a request, or a statement."""

    form: str


@dataclass(frozen=True, slots=True)
class _Notices:
    """The words of one language, compiled."""

    words: frozenset[str]
    sure: re.Pattern[str]
    marks: re.Pattern[str]
    bare_marks: re.Pattern[str]
    bracketed_marks: re.Pattern[str]
    slugs: re.Pattern[str]
    address: re.Pattern[str]
    requests: re.Pattern[str]
    withdraws: re.Pattern[str]
    withdrawn: re.Pattern[str]
    supports: re.Pattern[str]
    substitutes: re.Pattern[str]
    news: frozenset[str]


@cache
def notice_words() -> frozenset[str]:
    """The words without one of which nothing is a notice."""
    return frozenset().union(*(notices.words for notices in _languages()))


def find_kill(
    headline: str, slugline: str, note: str, text: str, words: frozenset[str], sources: Sequence[str]
) -> KillNotice | None:
    """The notice that an item is, or None. `words` are those of `notice_words` that stand in it, `sources` name its sender."""
    item: _Item | None = None
    for notices in _languages():
        if words.isdisjoint(notices.words):
            continue
        item = item or _Item(headline, slugline, note, text)
        if form := _find_form(notices, item, sources):
            return KillNotice(form)
    return None


class _Item:
    """The parts of an item in which a notice shows."""

    def __init__(self, headline: str, slugline: str, note: str, text: str) -> None:
        self.headline, self.slugline = headline[:MAX_LINE_CHARS].strip(), slugline[:MAX_LINE_CHARS].strip()
        self.note = note[:MAX_NOTE_CHARS].strip()
        self.lines = [line.strip() for line in text[:HEAD_CHARS].splitlines() if line.strip()][:6]
        self.is_short = len(text) <= MAX_NOTICE_CHARS
        shown = text if self.is_short else text[:HEAD_CHARS]
        self.sentences = [*mask_sentences(self.note), *mask_sentences(shown)]

    @cached_property
    def notes_above(self) -> list[str]:
        """The lines above the item's own headline, where editors' notes stand; none where the headline is not repeated."""
        if self.headline not in self.lines:
            return []
        return mask_sentences("\n".join(self.lines[: self.lines.index(self.headline)]))

    @cached_property
    def is_dispatch(self) -> bool:
        """Whether a dateline opens the text, as it opens news."""
        return any(match_dateline(line, 0, len(line)) for line in self.lines)


def mask_sentences(text: str) -> list[str]:
    """The sentences of a text, each with ``“”`` for every quotation in it."""
    sentences = _SENTENCE_END.split(_QUOTED.sub(_mask, join_wrapped(text)))
    return [sentence[:MAX_SENTENCE_CHARS].strip() for sentence in sentences if sentence.strip()]


def _mask(quotation: re.Match[str]) -> str:
    """What stands for a quotation: with a full stop where a sentence ends in it."""
    ends = quotation[0][-2:-1] in _LINE_ENDS and _SENTENCE_STARTS.match(quotation.string, quotation.end())
    return f"{_QUOTE}." if ends else _QUOTE


def join_wrapped(text: str) -> str:
    """A text with each long line that ends no sentence joined to the next one, as it was before it was wrapped."""
    if "\n" not in text:
        return text
    joined: list[str] = []
    for line in (" ".join(line.split()) for line in text.splitlines()):
        before = joined[-1] if joined else ""
        if line and len(before) >= MIN_WRAPPED_CHARS and before[-1] not in _LINE_ENDS:
            joined[-1] = f"{before} {line}"
        else:
            joined.append(line)
    return "\n".join(joined)


def _find_form(notices: _Notices, item: _Item, sources: Sequence[str]) -> str | None:
    if _has_sure_mark(notices, item):
        return "mark"
    plain = [sentence for sentence in item.sentences if notices.news.isdisjoint(_words_of(sentence))]
    if any(notices.requests.search(sentence) for sentence in plain):
        return "request"
    if any(notices.withdrawn.search(note) for note in item.notes_above if note in plain):
        return "statement"
    if not item.is_short or item.is_dispatch:
        return None
    is_marked = _has_mark(notices, item)
    alone = item.headline.strip(_MARK_PUNCTUATION)
    is_mark_alone = notices.marks.fullmatch(alone) and (alone.isupper() or not item.sentences)
    if is_mark_alone or any(map(notices.substitutes.search, (item.headline, *item.lines[:2]))):
        return "mark"
    supported = is_marked or _is_addressed(notices, item) or any(map(notices.supports.search, plain))
    states = any(_states_kill(notices, sentence, sources, supported=supported) for sentence in plain)
    return "statement" if states else None


def _states_kill(notices: _Notices, sentence: str, sources: Sequence[str], *, supported: bool) -> bool:
    """Whether a sentence says that the item's own agency withdraws a story, or in a notice that one is withdrawn."""
    match = notices.withdraws.search(sentence)
    if match and _is_own(match["agent"], sources, supported=supported):
        return True
    return supported and notices.withdrawn.search(sentence) is not None


def _is_addressed(notices: _Notices, item: _Item) -> bool:
    """Whether the headline or one of the first lines addresses editors."""
    return any(notices.address.search(line) for line in (item.headline, *item.lines[:2]))


def _has_sure_mark(notices: _Notices, item: _Item) -> bool:
    """Whether a mark says it alone: one that means nothing else, or one in capitals beside words that are none."""
    if (mark := notices.slugs.search(item.slugline)) and not _is_last_word(mark[0], item):
        return True
    places = [item.headline, item.note, *item.lines]
    if any(notices.sure.search(place) for place in places):
        return True
    if any(_has_capital_mark(notices, place) for place in places):
        return True
    if notices.marks.match(item.note):
        return True
    end = end_part(item.headline)
    return bool(end and end.isupper() and (notices.marks.fullmatch(end) or notices.sure.fullmatch(end)))


def _is_last_word(mark: str, item: _Item) -> bool:
    """Whether a mark may be the last word of a slug of news: ``Road Kill``, with a dispatch under it."""
    return mark[0] == " " and not mark.isupper() and item.is_dispatch


def _has_capital_mark(notices: _Notices, place: str) -> bool:
    """Whether a mark in capitals opens words that are none: ``ANULA: …``, ``ANULA`` before a word with a capital, 【取り消し】."""
    if notices.bracketed_marks.match(place):
        return True
    match = notices.marks.search(place) or notices.bare_marks.search(place)
    return bool(match and match["mark"].isupper() and _has_small_letters(place[match.end() :]))


def _has_small_letters(text: str) -> bool:
    return any(letter.islower() for letter in text)


def _has_mark(notices: _Notices, item: _Item) -> bool:
    """Whether a mark stands somewhere, in whatever letters."""
    end = end_part(item.headline)
    return bool(
        notices.marks.search(item.headline)
        or (end and notices.marks.fullmatch(end))
        or any(notices.marks.search(line) for line in item.lines[:2])
    )


def end_part(headline: str) -> str:
    """What stands behind a headline as marks do: after a dash or in brackets, a few words; empty where nothing does."""
    end = ""
    headline = headline.rstrip("*= ")
    if opening := _BRACKETS.get(headline[-1:]):
        end = headline[:-1].rpartition(opening)[2]
    else:
        for dash in _PART_ENDS:
            if dash in headline:
                end = headline.rpartition(dash)[2]
                break
    end = end.strip()
    return end if 0 < len(end.split()) <= MAX_MARK_WORDS else ""


def _is_own(agent: str | None, sources: Sequence[str], *, supported: bool) -> bool:
    """Whether an agent is the item's own agency: a pronoun (no name) where the item is a notice otherwise, too."""
    if agent is None:
        return supported
    name = agent.casefold().strip()
    return any(_names_same(name, source.casefold()) for source in sources if source.strip())


def _names_same(name: str, source: str) -> bool:
    """Whether the words of one name are all in the other: "the NORD agency", "NORD"."""
    ours, theirs = set(_WORD.findall(name)), set(_WORD.findall(source))
    return bool(ours and theirs) and (theirs <= ours or ours <= theirs)


def _words_of(sentence: str) -> list[str]:
    return _WORD.findall(sentence.lower())


def quoted_sentences(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each sentence with ``“”`` for its quotations, and these."""
    text = join_wrapped(text)
    matches = _QUOTED.finditer(text)
    quotations = iter(
        [" ".join(next(filter(None, match.groups()), "").split()).strip(" ,.;") for match in matches]
    )
    for sentence in _SENTENCE_END.split(_QUOTED.sub(_mask, text)):
        yield sentence, list(filter(None, islice(quotations, sentence.count(_QUOTE))))


def replaces_story(sentence: str) -> bool:
    """Whether a sentence names a story that replaces the one that is killed."""
    return bool(_replacing().search(sentence))


# ---------------------------------------------------------------- the words


@cache
def _replacing() -> re.Pattern[str]:
    return re.compile(join_patterns(words.kill.replaces for _, words in every_language()), re.IGNORECASE)


@cache
def _languages() -> tuple[_Notices, ...]:
    """The words of every language that has some, compiled once a process."""
    return tuple(_compiled(words.kill) for _, words in every_language() if words.kill.words)


def _compiled(words: KillWords) -> _Notices:
    story = rf"(?:(?:{words.story})\b|{_QUOTE})"

    def compiled(pattern: str) -> re.Pattern[str]:
        pattern = (
            pattern.replace(r"\W*", _MARKS)
            .replace("{story}", story)
            .replace("{slug}", _SLUG)
            .replace("{joined}", _JOINED_SLUG)
            .replace("{agent}", _AGENT)
        )
        return re.compile(pattern, re.IGNORECASE)

    before = rf"(?:(?:{_PRECEDING_MARKS})\W{{1,3}})?"
    open_, close = r"^[\s(\[{^=*+【（［〔「“\"'«<—–-]*", r"(?=\s*[-–—:;)\]}/.,=!*】）］〕」：]|\s*$)"
    return _Notices(
        words=words.words,
        sure=compiled(rf"{open_}{before}(?:{words.sure}){close}"),
        marks=compiled(rf"{open_}{before}(?P<mark>{words.marks}){close}"),
        bare_marks=re.compile(
            rf"{open_}(?P<mark>(?i:{words.marks}))(?=\s+[¿¡“«]?[^\W\d_a-zß-ÿ][^\W\d_A-ZÀ-Þ])"
        ),
        bracketed_marks=compiled(rf"\s*[\[【〔［](?:{words.marks})[\]】〕］]"),
        slugs=compiled(
            rf"(?:^|[-,/ ])\s*(?:{words.sure}|{words.slugs})(?=(?:\s*adv\d{{0,2}})?[,.\d\s]*$|,)"
            rf"|^(?:am|pm|bc|ap)-+(?:{words.slugs})--"
        ),
        address=compiled(words.address),
        requests=compiled(words.requests),
        withdraws=compiled(words.withdraws),
        withdrawn=compiled(words.withdrawn),
        supports=compiled(words.supports),
        substitutes=compiled(rf"{open_}(?:{words.substitutes}){close}"),
        news=words.news,
    )
