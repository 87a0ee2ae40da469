"""The IPTC Media Topics: which lies under which, and their names in ten languages.

Source: IPTC NewsCodes, https://cv.iptc.org/newscodes/mediatopic/, CC BY 4.0 (``config/catalogs/media-topics.txt``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from config.settings import HERE

CATALOG: Final = HERE / "catalogs" / "media-topics.txt"
LANGUAGES: Final = ("en", "ar", "da", "de", "es", "fr", "pt", "pt-BR", "sv", "zh")
PREFIX: Final = "medtop:"


@dataclass(frozen=True, slots=True)
class MediaTopic:
    """One topic: its code of eight digits, the code above it, its names by language tag."""

    code: str
    parent: str
    names: Mapping[str, str]

    def name(self, language: str) -> str:
        """The name in a language (by its whole tag, then its primary subtag), else in English."""
        return self.names.get(language) or self.names.get(language.partition("-")[0]) or self.names["en"]


@cache
def media_topics() -> Mapping[str, MediaTopic]:
    """Every topic that is not retired, by its code."""
    found: dict[str, MediaTopic] = {}
    for line in CATALOG.read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        code, parent, *names = line.split("\t")
        told = {language: name for language, name in zip(LANGUAGES, names, strict=True) if name}
        found[code] = MediaTopic(code, parent, told)
    return found


def ancestors(code: str) -> tuple[str, ...]:
    """The codes above a topic, nearest first; empty for an unknown one."""
    above: list[str] = []
    topic = media_topics().get(code)
    while topic and topic.parent:
        above.append(topic.parent)
        topic = media_topics().get(topic.parent)
    return tuple(above)


@cache
def codes_by_name() -> Mapping[str, str]:
    """The code of each name in any language, in small letters. The higher topic wins where a name stands twice."""
    found: dict[str, str] = {}
    for topic in sorted(media_topics().values(), key=lambda each: -len(ancestors(each.code))):
        for name in topic.names.values():
            found[name.casefold()] = topic.code
    return found
