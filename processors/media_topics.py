"""The IPTC Media Topics: which lies under which, and their names in ten languages.

Source: IPTC NewsCodes, https://cv.iptc.org/newscodes/mediatopic/, CC BY 4.0 (``config/catalogs/media-topics.txt``). The
catalogue has bare codes of eight digits; events and rules have them as ``medtop:NNNNNNNN``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from config.files import CONFIG_FOLDER

CATALOG: Final = CONFIG_FOLDER / "catalogs" / "media-topics.txt"
LANGUAGES: Final = (
    "en",
    "ar",
    "da",
    "de",
    "es",
    "fr",
    "pt",
    "pt-BR",
    "sv",
    "zh",
)  # of the names, in their order
CODE_PREFIX: Final = "medtop:"
TOPIC_SCHEME: Final = "http://cv.iptc.org/newscodes/mediatopic/"  # of the topics' URIs
# Who added a subject of a story: normalise, where it maps a publisher's code, and tag, where the words say it.
PIPELINE_CREATOR: Final = "urn:wiredesk:normalise"
TAGGER_CREATOR: Final = "urn:wiredesk:tag"


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
    """Every topic that is not retired, by its code of eight digits."""
    topics: dict[str, MediaTopic] = {}
    for line in CATALOG.read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        code, parent, *names = line.split("\t")
        by_language = {language: name for language, name in zip(LANGUAGES, names, strict=True) if name}
        topics[code] = MediaTopic(code, parent, by_language)
    return topics


def topic_uri(code: str) -> str:
    """The URI of a topic at the IPTC, from its code with or without prefix."""
    return f"{TOPIC_SCHEME}{code.removeprefix(CODE_PREFIX)}"


@cache
def codes_by_name() -> Mapping[str, str]:
    """The code of each name in any language, in small letters. The higher topic wins where a name stands twice."""
    codes: dict[str, str] = {}
    for topic in sorted(media_topics().values(), key=lambda topic: -len(find_ancestors(topic.code))):
        for name in topic.names.values():
            codes[name.casefold()] = topic.code
    return codes


def find_ancestors(code: str) -> tuple[str, ...]:
    """The codes above a code of eight digits, nearest first; empty for an unknown one."""
    above: list[str] = []
    topic = media_topics().get(code)
    while topic and topic.parent:
        above.append(topic.parent)
        topic = media_topics().get(topic.parent)
    return tuple(above)


def with_ancestors(codes: Iterable[str]) -> tuple[str, ...]:
    """Topics with their prefix and all that lie above them, each once; unknown codes as they are.

    A filter or route that names one topic means those below it as well.
    """
    all_codes: dict[str, None] = {}
    for code in codes:
        while code and code not in all_codes:
            all_codes[code] = None
            code = _parents().get(code, "")  # noqa: PLW2901 -- up to the root
    return tuple(all_codes)


def is_media_topic(code: str) -> bool:
    """Whether a topic has this code with its prefix."""
    return code in _parents()


@cache
def _parents() -> Mapping[str, str]:
    """The topic above each topic, both with their prefix; empty for a root."""
    return {
        f"{CODE_PREFIX}{topic.code}": f"{CODE_PREFIX}{topic.parent}" if topic.parent else ""
        for topic in media_topics().values()
    }
