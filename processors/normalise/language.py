"""The language of a story: what the publisher declared, checked against what the words say.

py3langid (naive Bayes over byte n-grams, models in the package) decides; see docs/dependencies.md for what else was
measured. It contradicts a declared language only on enough words that are no names: tables, results and lists of
names look like any language, and a short text that is taken for another one begins a chain of its own. A declared
language whose commonest words are in the text is believed without asking it, which takes a tenth of the time, and so
is plain English.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain
from typing import Any, Final

from config.lexicon import every_language
from config.tables import macrolanguages
from processors.model.event import Language
from processors.normalise.values import language_tag

# The classifier and the common words see this much of a text: with less, a dateline or a quotation in another language
# weighs too much; with more, every story takes longer. A declared language is believed by a glance at half of it.
_SAMPLE_CHARS: Final = 600
_GLANCE_CHARS: Final = 300
# Letters of different words that are no names. With fewer, tables and results contradict a declared language, and a
# version of a story in "another language" begins a chain of its own; with more, a short text keeps a wrong declaration.
_MIN_EVIDENCE_LETTERS: Final = 40
# Lower, and unsure guesses contradict declarations; higher, and wrong declarations stay.
_SURE_CONFIDENCE: Final = 0.9
# Confidences that no classifier gave: common words prove a language, a claim that was contradicted in vain is doubtful.
_PROVED_CONFIDENCE: Final = 0.99
_DOUBTFUL_CONFIDENCE: Final = 0.6
# A shorter text lowers the confidence: the classifier is sure of two words as well.
_FULL_CONFIDENCE_LETTERS: Final = 60
_LAST_LATIN: Final = "\u024f"
_WORD: Final = re.compile(r"[^\W\d_]+")
_ASCII_LETTERS: Final = bytes(code if chr(code).isalpha() else 0x20 for code in range(128)).ljust(256)
_ASCII_WORDS: Final = _ASCII_LETTERS.lower()
# Common words prove a declared language. A smaller share of them, or fewer different ones, also comes together in names
# ("De La Cruz") and tables; a larger one asks the classifier for headlines and briefs.
_WORDS_A_COMMON_WORD: Final = 5
_MIN_COMMON_WORDS: Final = 3
# Where nothing was declared: a relative without a list of words has some of them too.
_WORDS_A_PLAIN_WORD: Final = 4
# Fewer are initials or a unit, in which the classifier sees some language all the same.
_MIN_LETTERS: Final = 3
# In fewer, a headline of borrowed words could pass for English; more load the model for briefs.
_MIN_PLAIN_WORDS: Final = 30
_WITHOUT_RELATIVES: Final = frozenset(
    {"en"}
)  # the others have relatives for which there is no list of common words
_NO_LANGUAGE: Final = frozenset({"und", "mul", "zxx", "mis"})
# Languages that a classifier mixes up, and speakers hardly: the declared one is believed.
_NEIGHBOURS: Final = (
    frozenset({"nb", "nn", "no", "da", "sv"}),
    frozenset({"hr", "sr", "bs", "sh", "sl", "mk", "bg"}),
    frozenset({"id", "ms"}),
    frozenset({"cs", "sk"}),
    frozenset({"gl", "pt", "es", "ca", "oc", "an", "ast", "eu"}),
    frozenset({"nl", "af", "fy", "li"}),
    frozenset({"de", "lb", "gsw", "nds", "als"}),
    frozenset({"hi", "mr", "ne"}),
    frozenset({"ru", "uk", "be"}),
    frozenset({"fa", "ps", "ur", "ar"}),
    frozenset({"it", "co", "sc", "scn", "lij", "vec"}),
    frozenset({"fr", "wa", "oc", "br"}),
    frozenset({"et", "fi"}),
    frozenset({"tr", "az", "kk"}),
    frozenset({"fil", "tl", "ceb"}),
    frozenset({"en", "pcm"}),
    frozenset({"el", "grc"}),
)


@dataclass(frozen=True, slots=True)
class _Claim:
    """A declared language: the tag as sent, in canonical case, and by its common code; its commonest words."""

    sent: str
    tag: str
    primary: str
    common: frozenset[str]
    alphabet: frozenset[str]  # the letters of these words

    def believed(self, confidence: float) -> Language:
        return Language(self.tag, confidence, self.sent)


def identify_language(text: str, declared: str | None = None, among: tuple[str, ...] = ()) -> Language:
    """The language of a text.

    Args:
        text: The words; the first 600 characters count.
        declared: What the publisher or the feed says, in any case.
        among: Languages that detection is limited to; empty: all that it knows.
    """
    sample = text[:_SAMPLE_CHARS]
    claim = _read_claim(declared) if declared else None
    if claim:
        return _check_claim(claim, sample, among)
    if not among and (plain := _plain_language(sample)):
        return Language(plain, _PROVED_CONFIDENCE)
    return Language(*_detect(sample, among))


def _check_claim(claim: _Claim, sample: str, among: tuple[str, ...]) -> Language:
    """The declared language, unless the words are surely another's."""
    if _are_common(claim.common, _words(sample[:_GLANCE_CHARS])):
        return claim.believed(_PROVED_CONFIDENCE)
    foreign = not sample.isascii() and _is_foreign(claim, sample)
    if not foreign and (not _has_evidence(sample) or _own_words_prevail(claim, _words(sample))):
        return claim.believed(_SURE_CONFIDENCE)
    detected, confidence = _detect(sample, among)
    if detected == claim.primary or _are_neighbours(detected, claim.primary):
        return claim.believed(max(confidence, _SURE_CONFIDENCE))
    if (
        detected not in _NO_LANGUAGE
        and (foreign or confidence >= _SURE_CONFIDENCE)
        and _overrules(detected, claim, sample, among)
    ):
        return Language(detected, confidence, claim.sent)
    return claim.believed(_DOUBTFUL_CONFIDENCE)


@lru_cache(maxsize=1024)
def _read_claim(declared: str) -> _Claim | None:
    """The claim of a publisher's tag; None where it names no language."""
    sent = language_tag(declared)
    if sent is None or sent in _NO_LANGUAGE:
        return None
    tag = _common_tag(sent)
    primary = tag.partition("-")[0]
    common = _common_words().get(primary, frozenset())
    return _Claim(sent, tag, primary, common, frozenset(chain.from_iterable(common)))


def _are_common(common: frozenset[str], words: Sequence[str]) -> bool:
    """Whether one in five words are among a language's commonest, and three different ones at least."""
    hits = list(filter(common.__contains__, words))
    return len(hits) * _WORDS_A_COMMON_WORD >= len(words) and len(set(hits)) >= _MIN_COMMON_WORDS


def _has_evidence(sample: str) -> bool:
    """Whether enough letters are in different words that don't begin with a capital, as names do."""
    if sample.isascii():
        words = sample.encode().translate(_ASCII_LETTERS).decode("ascii").split()
    else:
        words = _WORD.findall(sample)
    return sum([len(word) for word in set(words) if not word[0].isupper()]) >= _MIN_EVIDENCE_LETTERS


def _is_foreign(claim: _Claim, sample: str) -> bool:
    """Whether most letters are of a script that the declared language is not written in; Latin ones stand in all."""
    letters = [char for char in sample.lower() if char.isalpha()]
    alphabet = claim.alphabet
    return bool(alphabet) and 2 * sum(char > _LAST_LATIN and char not in alphabet for char in letters) > len(
        letters
    )


def _own_words_prevail(claim: _Claim, words: Sequence[str]) -> bool:
    """Whether at least three of the claim's commonest words are there, and twice as many as of any other language."""
    own = len(claim.common.intersection(words))
    if own < _MIN_COMMON_WORDS:
        return False
    others = Counter(chain.from_iterable(filter(None, map(_speakers().get, set(words)))))
    return all(
        own >= 2 * count or language == claim.primary or _are_neighbours(language, claim.primary)
        for language, count in others.items()
    )


def _words(sample: str) -> list[str]:
    """The words of a sample in lower case; those of ASCII by a table, in half of the pattern's time."""
    if sample.isascii():
        return sample.encode().translate(_ASCII_WORDS).decode("ascii").split()
    return _WORD.findall(sample.lower())


def _plain_language(sample: str) -> str | None:
    """The language without close relatives whose commonest words are a quarter of a text, and twice any other's.

    This spares most wires the classifier, whose model takes a third of a second to load.
    """
    words = _words(sample)
    if len(words) < _MIN_PLAIN_WORDS:
        return None
    common, speakers = _common_words(), _speakers()
    for candidate in _WITHOUT_RELATIVES:
        hits = sum(map(common[candidate].__contains__, words))
        if hits * _WORDS_A_PLAIN_WORD >= len(words):
            others = Counter(chain.from_iterable(filter(None, map(speakers.get, words))))
            others.pop(candidate)
            return candidate if hits >= 2 * max(others.values(), default=0) else None
    return None


def _are_neighbours(language: str, other: str) -> bool:
    return any(language in group and other in group for group in _NEIGHBOURS)


def _detect(sample: str, among: tuple[str, ...]) -> tuple[str, float]:
    """The classifier's language and a confidence from 0 to 1, which a short text lowers; ``und`` without words."""
    letters = sum(len(word) for word in _WORD.findall(sample))
    if letters < _MIN_LETTERS:
        return "und", 0.0
    language, probability = _identifier(among).classify(sample)
    return _common_tag(str(language)), round(
        float(probability) * min(1.0, (letters / _FULL_CONFIDENCE_LETTERS) ** 0.5), 3
    )


def _overrules(detected: str, claim: _Claim, sample: str, among: tuple[str, ...]) -> bool:
    """Whether the detected language counts more than the claim.

    The classifier takes a text in a language that it doesn't know for some other one, so that there the other one's
    commonest words must be hits too.
    """
    is_tellable = claim.primary in _labels(among) or not _is_language(claim.primary)
    return is_tellable or _are_common(_common_words().get(detected, frozenset()), _words(sample))


@cache
def _is_language(code: str) -> bool:
    """Whether CLDR has a language of this code: ``jp`` and ``cz`` are countries."""
    from babel.core import get_global

    return code in get_global("likely_subtags")


@cache
def _labels(among: tuple[str, ...]) -> frozenset[str]:
    """The languages that the classifier can detect, and those that it takes for one of them."""
    labels = frozenset(_common_tag(str(label)) for label in _identifier(among).labels)
    return labels.union(*(group for group in _NEIGHBOURS if group & labels))


@lru_cache(maxsize=1024)
def _common_tag(tag: str) -> str:
    """The tag with the language that newsrooms say: ``zh-HK`` for ``yue-HK``, ``de`` for ``deu``.

    Of ISO 639-3 by its macrolanguages, of the three letters of ISO 639-2 by CLDR's aliases.
    """
    primary, hyphen, rest = tag.partition("-")
    if len(primary) != 3:
        return tag
    common = _macrolanguages().get(primary)
    if common is None:
        from babel.core import get_global

        alias = str(get_global("language_aliases").get(primary, primary))
        common = alias if len(alias) == 2 else primary
    return f"{common}{hyphen}{rest}"


@cache
def _macrolanguages() -> dict[str, str]:
    return {member: common for common, members in macrolanguages().items() for member in members}


@lru_cache(maxsize=8)
def _identifier(among: tuple[str, ...]) -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    if among:
        labels = set(identifier.labels)
        identifier.set_languages([code for code in among if code in labels] or None)
    return identifier


@cache
def _common_words() -> Mapping[str, frozenset[str]]:
    """The commonest words by language. Norwegian without its form is Bokmål."""
    common = {tag: words.common for tag, words in every_language() if words.common}
    return {**common, "no": common["nb"]}


@cache
def _speakers() -> dict[str, tuple[str, ...]]:
    """The languages that each common word is common in."""
    languages_by_word: dict[str, list[str]] = {}
    for language, words in _common_words().items():
        for word in words:
            languages_by_word.setdefault(word, []).append(language)
    return {word: tuple(languages) for word, languages in languages_by_word.items()}
