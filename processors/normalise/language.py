"""The language of a story: what the publisher declared, checked against what the words say.

py3langid (naive Bayes over byte n-grams, models in the package) decides; see docs/dependencies.md for what else was
measured. A declared language whose commonest words are all over the text is believed without asking it, which
takes a tenth of the time, and so is plain English.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, Final

import config
from processors.event import Language
from processors.normalise.values import language_tag

_SAMPLE: Final = 600  # characters are enough to tell a language
_GLANCE: Final = 300  # and enough to hear whether it is the declared one
_LEXICON: Final = Path(config.__file__).parent / "lexicon"
_WORD: Final = re.compile(r"[^\W\d_]+")
_ASCII_WORDS: Final = bytes(code | 0x20 if chr(code).isalpha() else 0x20 for code in range(128)).ljust(256)
_PLAIN_WORDS: Final = 30
_ALONE: Final = frozenset({"en"})  # the others have relatives for which there is no list of common words
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
    frozenset({"it", "co", "sc", "scn"}),
    frozenset({"fr", "wa", "oc", "br"}),
    frozenset({"et", "fi"}),
    frozenset({"tr", "az", "kk"}),
    frozenset({"fil", "tl", "ceb"}),
)


def identify(text: str, declared: str | None = None, among: tuple[str, ...] = ()) -> Language:
    """The language of a text.

    Args:
        text: The words; the first 600 characters count.
        declared: What the publisher or the feed says, in any case.
        among: Languages that detection is limited to; empty: all that it knows.
    """
    sent = language_tag(declared)
    sample = text[:_SAMPLE]
    if sent in {"und", "mul", "zxx", "mis"}:
        sent = None
    told = _common_tag(sent) if sent else ""
    primary = told.partition("-")[0]
    if told and _sounds_like(sample[:_GLANCE], primary):
        return Language(told, 0.99, sent)
    if not told and not among and (plain := _plainly(sample)):
        return Language(plain, 0.99)
    found, confidence = _detected(sample, among)
    if not told:
        return Language(found, confidence)
    if found == primary or _are_neighbours(found, primary):
        return Language(told, max(confidence, 0.9), sent)
    if found == "und" or confidence < 0.9:
        return Language(told, 0.6, sent)
    return Language(found, confidence, sent)


def _sounds_like(sample: str, primary: str) -> bool:
    """Whether one in five words, and three different ones at the least, are among the language's commonest."""
    common = _common_words().get(primary)
    if not common:
        return False
    words = _words(sample)
    hits = [word for word in words if word in common]
    return len(hits) * 5 >= len(words) and len(set(hits)) >= 3


def _words(sample: str) -> list[str]:
    """The words in lower case: of ASCII by a table, in half of the pattern's time."""
    if sample.isascii():
        return sample.encode().translate(_ASCII_WORDS).decode("ascii").split()
    return _WORD.findall(sample.lower())


def _plainly(sample: str) -> str | None:
    """A language without close relatives whose commonest words are a quarter of a text and twice any other's.

    It spares most wires the classifier, whose model takes a third of a second to load.
    """
    words = _words(sample)
    if len(words) < _PLAIN_WORDS:
        return None
    common, speakers = _common_words(), _speakers()
    for alone in _ALONE:
        hits = sum(map(common[alone].__contains__, words))
        if hits * 4 >= len(words):
            others = Counter(chain.from_iterable(filter(None, map(speakers.get, words))))
            others.pop(alone)
            return alone if hits >= 2 * max(others.values(), default=0) else None
    return None


def _are_neighbours(one: str, other: str) -> bool:
    return any(one in group and other in group for group in _NEIGHBOURS)


def _detected(sample: str, among: tuple[str, ...]) -> tuple[str, float]:
    """A language and a confidence from 0 to 1, which a short text lowers; ``und`` where there are no words."""
    letters = sum(len(word) for word in _WORD.findall(sample))
    if letters < 3:
        return "und", 0.0
    language, probability = _identifier(among).classify(sample)
    return _common_tag(str(language)), round(float(probability) * min(1.0, (letters / 60) ** 0.5), 3)


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
    told = tomllib.loads((_LEXICON / "macrolanguages.toml").read_text("utf-8"))
    return {each: common for common, members in told.items() for each in members.split()}


@lru_cache(maxsize=8)
def _identifier(among: tuple[str, ...]) -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    made = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    if among:
        known = set(made.labels)
        made.set_languages([code for code in among if code in known] or None)
    return made


@cache
def _common_words() -> dict[str, frozenset[str]]:
    told = tomllib.loads((_LEXICON / "common-words.toml").read_text("utf-8"))
    return {language: frozenset(words.split()) for language, words in told.items()}


@cache
def _speakers() -> dict[str, tuple[str, ...]]:
    """The languages that each common word is common in."""
    found: dict[str, list[str]] = {}
    for language, words in _common_words().items():
        for word in words:
            found.setdefault(word, []).append(language)
    return {word: tuple(languages) for word, languages in found.items()}
