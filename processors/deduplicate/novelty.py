"""What a later story says that an earlier one did not: sentences, and words within them that carry meaning.

A report is a duplicate where nothing is left after house style: each of its sentences is one of the earlier report's,
or says the same but for spelling, typing errors, words left out, and words that tell nothing by themselves. A figure, a
name, a negation or any other word of its own makes a sentence new, and so does a headline that says something else.
What the later one lacks is no novelty: a cut copy adds nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from itertools import chain, islice, pairwise
from typing import Final, NamedTuple

from processors.deduplicate.sentences import (
    ComparedWord,
    MeaningWords,
    SplitReport,
    load_meaning_words,
    place_words,
    split_words,
)
from processors.model.event import NovelPassage, NoveltyKind

# Of a sentence's words, in pairs of neighbours: with fewer in common it is another sentence, with a higher share a
# sentence whose half was rewritten is told as new words, not as a new sentence.
MIN_SHARED_WORDS: Final = 0.5
# Of a new sentence's pairs that an earlier sentence must have to be compared with it: a lower share compares with chance
# neighbours, a higher one misses the parts of sentences that were joined.
MIN_PAIR_SHARE: Final = 0.25
# A shorter word that differs in a letter is another word (Iran, Iraq); a longer one was misspelt or is spelt otherwise.
MIN_SPELLING_CHARS: Final = 5
MIN_NAME_SPELLING_CHARS: Final = 6  # Smith is not Smyth
# Words with such a beginning in common, of this share of the longer one, are forms of one word.
MIN_STEM_CHARS: Final = 5
MIN_STEM_SHARE: Final = 0.6
MAX_ENDING_CHARS: Final = 3
THOUSANDS_CHARS: Final = 3  # of a figure's groups: 2 and 1 are no 21
# Keys that lie side by side, and letters that stand for one sound in two spellings. A letter in the place of another one
# was mistyped only if they are such: "adapted" is not a misspelt "adopted".
_KEYS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю")
_SOUNDS: Final = ("ck", "cs", "iy", "vw", "ая", "её", "іи")
# A negation that went with more words than these went with its clause; with fewer the sentence was turned round.
MAX_LEFT_OUT_WORDS: Final = 2
MAX_KICKER_WORDS: Final = 3  # before the colon of a headline: more are a speaker's or a subject's words
MIN_TITLE_WORDS: Final = 2  # behind it: with fewer the kicker is the headline
# A line without a full stop of so few words, at either end of the text, is a credit.
MAX_CREDIT_WORDS: Final = 4
MAX_BRACKETED_WORDS: Final = 16  # such a line in brackets: (Reporting by …; Editing by …)
MAX_PASSAGES: Final = 8  # that are told: a live blog would fill the provenance
KEPT_TITLE_SHARE: Final = 0.8  # of an earlier headline's words that one without its negation keeps
# Words that are compared in all, by characters of both reports. Prose takes up to a tenth of it; more, and two reports of
# 100 kB that are alike in each word hold up the step for longer than a second, fewer, and rewritten reports are judged by
# which words they have alone.
MAX_EFFORT_PER_CHAR: Final = 3
MIN_EFFORT_WORDS: Final = 10_000
# Of two sentences that are laid beside each other word for word: no sentence of prose has a third of it.
MAX_LAID_WORDS: Final = 2000
_STOPS: Final = '.!?…؟۔。！？"”’»)]』」）'
_BRACKETS: Final = "(（)）"
_KICKERS: Final = ":：|"


class ComparisonEffort:
    """How many words of two reports may still be laid beside others: each of one against all of the other never ends."""

    def __init__(self, chars: int) -> None:
        """For two reports of so many characters together."""
        self._left = MIN_EFFORT_WORDS + MAX_EFFORT_PER_CHAR * chars

    def try_spend(self, words: int) -> bool:
        """Whether so many words may be compared; what was refused once is refused from then on."""
        self._left = self._left - words if words <= self._left else 0
        return self._left > 0


class ReportPair(NamedTuple):
    """Two reports, the later and the earlier, and what is known of the words of their language.

    ``was_printed`` tells whether a sentence stands in that part of the earlier text that is not remembered.
    """

    later: SplitReport
    earlier: SplitReport
    vocabulary: MeaningWords
    was_printed: Callable[[str], bool]
    effort: ComparisonEffort


def find_novelty(
    later: SplitReport,
    earlier: SplitReport,
    language: str,
    was_printed: Callable[[str], bool] | None = None,
    limit: int = MAX_PASSAGES,
) -> tuple[NovelPassage, ...]:
    """What a later report says that an earlier one did not; nothing where it is the same report again.

    Offsets of passages are those of the reports. At most `limit` are looked for.
    """
    effort = ComparisonEffort(len(later.text) + len(earlier.text))
    pair = ReportPair(later, earlier, load_meaning_words(language), was_printed or (lambda _: False), effort)
    return tuple(islice(chain(_find_in_headline(pair), _find_in_text(pair)), limit))


# ---------------------------------------------------------------- the text


def _find_in_text(pair: ReportPair) -> Iterable[NovelPassage]:
    later, earlier = pair.later, pair.earlier
    if later.text == earlier.text:
        return
    count = len(later.sentences)
    for number, sentence in enumerate(later.sentences):
        if sentence.text in earlier.exact or not (forms := later.forms_of(number)) or forms in earlier.keys:
            continue
        kind = _judge_sentence(pair, sentence.text, forms)
        if kind is None or (number in {0, count - 1} and count > 1 and _is_credit(sentence.text, len(forms))):
            continue
        if pair.was_printed(sentence.text):
            continue
        yield NovelPassage(sentence.start, sentence.end, kind)


# Pairs of equal words that two sentences are laid beside each other by. Prose has two to four a word; a row of one word
# again and again has its square, and takes seconds. Fewer would judge long sentences with many small words by these alone.
MAX_PAIRS_PER_WORD: Final = 16


def _judge_sentence(pair: ReportPair, text: str, forms: Sequence[str]) -> NoveltyKind | None:
    """What makes a sentence new that does not stand in the earlier report word for word; None where nothing does."""
    places = pair.earlier.places
    if not _say_something(pair, forms):
        return None
    if len(forms) == 1:
        return None if forms[0] in pair.earlier.forms else "sentence"
    found = list(map(places.get, pairwise(forms)))
    missing = found.count(None)
    if 2 * (len(found) - missing) < MIN_SHARED_WORDS * len(forms):  # each pair covers two words at the most
        return "sentence"
    if missing:
        covered = [
            bool(before or after) for before, after in zip([None, *found], [*found, None], strict=True)
        ]
        if covered.count(True) < MIN_SHARED_WORDS * len(forms):
            return "sentence"
    alike = _find_alike(pair, forms, found)
    if alike is None:
        return _judge_by_words(forms, pair.earlier.forms)
    theirs = [word for number in alike for word in split_words(pair.earlier.sentences[number].text)]
    return _judge_change(pair, split_words(text), theirs)


def _find_alike(
    pair: ReportPair, forms: Sequence[str], pair_places: Sequence[Sequence[int] | None]
) -> list[int] | None:
    """The earlier sentences that a sentence was made from, by where its pairs of words stand; None of too many words."""
    places = list(filter(None, pair_places))
    if not pair.effort.try_spend(sum(map(len, places))):
        return None
    hits = Counter(chain.from_iterable(places))
    wanted = max(1.0, MIN_PAIR_SHARE * len(pair_places))
    best = max(hits.values(), default=0)
    alike = sorted([number for number, count in hits.items() if count >= min(wanted, best)])
    laid = len(forms) + sum([len(pair.earlier.forms_of(number)) for number in alike])
    return alike if laid <= MAX_LAID_WORDS and pair.effort.try_spend(laid) else None


def _judge_by_words(forms: Iterable[str], other_forms: AbstractSet[str]) -> NoveltyKind | None:
    """What makes words new that are too many to be laid beside others: one that is among none of them."""
    return None if other_forms >= set(forms) else "word"


def _judge_change(
    pair: ReportPair, ours: Sequence[ComparedWord], theirs: Sequence[ComparedWord]
) -> NoveltyKind | None:
    """What a sentence says otherwise than the one that it was made from."""
    our_forms, their_forms = [word.form for word in ours], [word.form for word in theirs]
    form_counts = Counter(their_forms)
    pair_count = sum([form_counts[form] for form in our_forms])
    if pair_count > MAX_PAIRS_PER_WORD * (len(ours) + len(theirs)):
        return _judge_by_words(our_forms, form_counts.keys())
    parts = find_changes(their_forms, our_forms)
    gone = {form for a, b, _, _ in parts for form in their_forms[a:b]}
    come = {form for _, _, c, d in parts for form in our_forms[c:d]}
    negation = pair.vocabulary.negation
    for a, b, start, end in parts:
        left, right = theirs[a:b], ours[start:end]
        lost = [word for word in left if word.form not in come]
        if kind := _judge_block(pair, ours, left, lost, right, start, gone):
            return kind
        meaning = [word for word in lost if _has_meaning(pair, word.form) and word.form not in negation]
        if len(meaning) <= MAX_LEFT_OUT_WORDS and any(_is_negation(pair, word) for word in lost):
            return "negation"
    return None


def find_changes(earlier: Sequence[str], later: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """The parts in which two sequences differ: from where to where in the earlier, from where to where in the later.

    What the parts leave are the longest runs in common, the first of equals, as `difflib` has them, in half of its time.
    """
    places: dict[str, list[int]] = {}
    for place, word in enumerate(later):
        places.setdefault(word, []).append(place)
    runs = [(len(earlier), len(later), 0)]
    left = [(0, len(earlier), 0, len(later))]
    while left:
        start, end, low, high = left.pop()
        first, second, size = _find_longest_run(earlier, places, start, end, low, high)
        if size:
            runs.append((first, second, size))
            if start < first and low < second:
                left.append((start, first, low, second))
            if first + size < end and second + size < high:
                left.append((first + size, end, second + size, high))
    changes, a, c = [], 0, 0
    for first, second, size in sorted(runs):
        if a < first or c < second:
            changes.append((a, first, c, second))
        a, c = first + size, second + size
    return changes


def _find_longest_run(
    earlier: Sequence[str], places: Mapping[str, list[int]], start: int, end: int, low: int, high: int
) -> tuple[int, int, int]:
    """Where the longest run in common begins in both, and how long it is."""
    first, second, longest, most = start, low, 0, min(end - start, high - low)
    lengths: dict[
        int, int
    ] = {}  # of the runs that end at the word before, by where they end in the later one
    for at in range(start, end):
        ends: dict[int, int] = {}
        for place in places.get(earlier[at], ()):
            if place < low:
                continue
            if place >= high:
                break
            length = ends[place] = lengths.get(place - 1, 0) + 1
            if length > longest:
                first, second, longest = at - length + 1, place - length + 1, length
        if longest == most:
            break
        lengths = ends
    return first, second, longest


def _judge_block(
    pair: ReportPair,
    ours: Sequence[ComparedWord],
    left: Sequence[ComparedWord],
    lost: Sequence[ComparedWord],
    right: Sequence[ComparedWord],
    start: int,
    gone: set[str],
) -> NoveltyKind | None:
    """What words are new that came in the place of others, or of none."""
    if _is_joined([word.form for word in left], [word.form for word in right]):
        return None
    replaced = [word for word in lost if _has_meaning(pair, word.form)]
    contrast = pair.vocabulary.contrast
    for number, word in enumerate(right, start):
        is_name = word.capital and number > 0
        kind: NoveltyKind = "number" if word.is_number else "name" if is_name else "word"
        if word.form in gone:  # it stood elsewhere in the sentence
            if (word.is_number or is_name) and not _keeps_neighbour(pair, ours, number):
                return kind
        elif _is_negation(pair, word):
            return "negation"
        elif _has_meaning(pair, word.form) and not (
            pair.effort.try_spend(len(lost)) and any(_is_spelling(word, other) for other in lost)
        ):
            takes_place = any(other.capital == word.capital for other in replaced)
            if word.is_number or takes_place or not _is_known(pair, word):
                return kind
        elif word.form in contrast and any(
            other.form in contrast or _has_meaning(pair, other.form) for other in lost[: len(right)]
        ):
            return "word"  # "after" in the place of "before"
    return None


def _is_joined(left: Sequence[str], right: Sequence[str]) -> bool:
    """Whether the same letters are one word here and two there: percent, per cent; 20.000, 20 000."""
    if not left or not right or len(left) == len(right) or "".join(left) != "".join(right):
        return False
    parts = max(left, right, key=len)
    return not any(part[0].isdigit() and len(part) != THOUSANDS_CHARS for part in parts[1:])


def _is_known(pair: ReportPair, word: ComparedWord) -> bool:
    """Whether the earlier report has a word, however it is spelt."""
    report = pair.earlier
    if word.form in report.forms:
        return True
    if word.is_number or len(word.form) < MIN_SPELLING_CHARS:  # such has no other spelling
        return False
    if not pair.effort.try_spend(len(report.forms) // 8):  # most begin with another letter
        return False
    first = word.form[0]
    others = [form for form in report.forms if form[0] == first]
    return any(_is_spelling(word, ComparedWord(form, word.capital)) for form in others)


def _keeps_neighbour(pair: ReportPair, ours: Sequence[ComparedWord], number: int) -> bool:
    """Whether a word stands beside one that it stood beside before."""
    places, form = pair.earlier.places, ours[number].form
    before = number > 0 and (ours[number - 1].form, form) in places
    return before or (number + 1 < len(ours) and (form, ours[number + 1].form) in places)


def _has_meaning(pair: ReportPair, form: str) -> bool:
    """Whether a word tells something by itself."""
    return form not in pair.vocabulary.empty and (len(form) > 1 or form.isdigit() or not form.isascii())


def _say_something(pair: ReportPair, forms: Sequence[str]) -> bool:
    """Whether one of some words tells something by itself."""
    for form in forms:  # noqa: SIM110  most often the first or second does
        if _has_meaning(pair, form):
            return True
    return False


def _is_negation(pair: ReportPair, word: ComparedWord) -> bool:
    return word.form in pair.vocabulary.negation or word.form.endswith("n't")


def _is_credit(text: str, words: int) -> bool:
    """Whether a line of so many words is too short, and too unfinished, for a sentence, or stands in brackets."""
    if words <= MAX_CREDIT_WORDS and text[-1] not in _STOPS:
        return True
    return text[0] in _BRACKETS[:2] and text[-1] in _BRACKETS[2:] and words <= MAX_BRACKETED_WORDS


# ---------------------------------------------------------------- the headline


def _find_in_headline(pair: ReportPair) -> Iterable[NovelPassage]:
    later, earlier = pair.later, pair.earlier
    forms = later.title_forms
    if later.headline == earlier.headline or not forms or not earlier.title_forms:
        return
    negation = pair.vocabulary.negation
    if negation.isdisjoint(earlier.title_forms) and set(forms).issubset(earlier.title_forms):
        return
    ours, theirs = later.title[_count_kicker(later) :], earlier.title[_count_kicker(earlier) :]
    words = tuple([word.form for word in ours])
    if words == tuple([word.form for word in theirs]):
        return
    kind = _judge_headline(pair, ours, theirs)
    if kind and words not in earlier.keys:  # a look at the text, which most headlines spare
        places = place_words(later.headline)
        yield NovelPassage(places[-len(ours)][0], places[-1][1], kind, "headline")


def _judge_headline(
    pair: ReportPair, ours: Sequence[ComparedWord], theirs: Sequence[ComparedWord]
) -> NoveltyKind | None:
    """What a headline says that neither the earlier headline nor the earlier text does.

    A word that was added to the earlier headline, and no more, says nothing else: "Ferry opens at last".
    """
    title = {word.form for word in theirs}
    new: list[ComparedWord] = []
    for number, word in enumerate(ours):
        if word.form in title:
            continue
        if _is_negation(pair, word):
            if not _keeps_neighbour(pair, ours, number):
                return "negation"
        elif _has_meaning(pair, word.form) and not _is_known(pair, word):
            if word.is_number:
                return "number"
            new.append(word)
    if len(new) > 1 or (new and not title.issubset([word.form for word in ours])):
        return "word"
    return "negation" if _drops_negation(pair, ours, theirs) else None


def _drops_negation(pair: ReportPair, ours: Sequence[ComparedWord], theirs: Sequence[ComparedWord]) -> bool:
    """Whether a headline is the earlier one without its negation."""
    if any(_is_negation(pair, word) for word in ours):
        return False
    rest = {word.form for word in theirs if not _is_negation(pair, word)}
    kept = rest.intersection([word.form for word in ours])
    return len(rest) < len({word.form for word in theirs}) and len(kept) >= KEPT_TITLE_SHARE * len(rest)


def _count_kicker(report: SplitReport) -> int:
    """How many words of a headline stand before its colon, or behind its bar, and say which column it is in."""
    headline = report.headline
    if not any(mark in headline for mark in _KICKERS):
        return 0
    places = place_words(headline)
    for number, (_, end) in enumerate(places[:MAX_KICKER_WORDS], 1):
        rest = places[number:]
        if len(rest) >= MIN_TITLE_WORDS and any(mark in headline[end : rest[0][0]] for mark in _KICKERS):
            return number
    return 0


# ---------------------------------------------------------------- spelling


def _is_spelling(word: ComparedWord, other: ComparedWord) -> bool:
    """Whether two words are one that is spelt in two ways, misspelt, or in two forms."""
    ours, theirs = word.form, other.form
    if ours == theirs:
        return True
    if word.is_number or other.is_number or ours[0] != theirs[0]:
        return False
    shortest, longest = sorted((len(ours), len(theirs)))
    is_name = word.capital and other.capital
    if (
        shortest < (MIN_NAME_SPELLING_CHARS if is_name else MIN_SPELLING_CHARS)
        or longest - shortest > MAX_ENDING_CHARS
    ):
        return False
    if longest - shortest <= 1 and _differ_in_one(ours, theirs):
        return True
    if is_name:
        return False
    stem = next((at for at, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), shortest)
    return stem >= max(MIN_STEM_CHARS, MIN_STEM_SHARE * longest) and longest - stem <= MAX_ENDING_CHARS


def _differ_in_one(ours: str, theirs: str) -> bool:
    """Whether one letter was put in, left out or replaced, or two neighbours changed places."""
    at = next(
        (at for at, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b),
        min(len(ours), len(theirs)),
    )
    a, b = ours[at:], theirs[at:]
    if len(a) == len(b):
        swapped = a[:2] == b[1::-1] and a[2:] == b[2:]
        return swapped or (a[1:] == b[1:] and (not a or b[0] in _likely_slips().get(a[0], b[0])))
    return a[1:] == b or a == b[1:]


@cache
def _likely_slips() -> dict[str, str]:
    """The letters that are likely to stand in the place of a letter by mistake; any for a letter that is on no key."""
    slips: dict[str, set[str]] = {}
    for upper, lower in (*pairwise(_KEYS[:3]), *pairwise(_KEYS[3:])):
        for at, key in enumerate(upper):
            for other in (*upper[at + 1 : at + 2], *lower[max(0, at - 1) : at + 1]):
                slips.setdefault(key, set()).add(other)
    for row in (_KEYS[2], _KEYS[5]):
        for key, other in pairwise(row):
            slips.setdefault(key, set()).add(other)
    for one, other in _SOUNDS:
        slips.setdefault(one, set()).add(other)
    for key, others in list(slips.items()):
        for other in others:
            slips.setdefault(other, set()).add(key)
    return {key: "".join(sorted(others)) for key, others in slips.items()}
