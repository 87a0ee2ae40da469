"""Subjects: IPTC Subject Codes get the Media Topics that they are mapped to; all other codes stay as they are.

The mapping is the IPTC's own (``config/catalogs/subject-codes.txt``).
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from msgspec.structs import replace

import config
from config.tables import scheme_aliases
from processors.media_topics import PIPELINE_CREATOR
from processors.model.story import Subject
from processors.normalise.values import uri_or_none

MEDIA_TOPIC: Final = "http://cv.iptc.org/newscodes/mediatopic/"
SUBJECT_CODE: Final = "http://cv.iptc.org/newscodes/subjectcode/"
_CATALOGS: Final = Path(config.__file__).parent / "catalogs"
_CODE: Final = re.compile(r"(?:subj:|http://cv\.iptc\.org/newscodes/subjectcode/)?(\d{8})")
_TOPIC: Final = re.compile(r"(?:medtop:|https?://cv\.iptc\.org/newscodes/mediatopic/)(\d{8})")


def resolve_qcode(qcode: str, aliases: dict[str, str] | None = None) -> str | None:
    """The URI of a QCode (NewsML-G2, section "QCodes"): by the document's aliases, then the IPTC's catalogs."""
    alias, colon, code = qcode.partition(":")
    if not colon or not code:
        return None
    base = (aliases or {}).get(alias) or scheme_aliases().get(alias)
    return uri_or_none(base + code) if base else None


@lru_cache(maxsize=4096)
def with_media_topics(subjects: tuple[Subject, ...]) -> tuple[Subject, ...]:
    """The subjects with the URIs of Media Topics, and with the Media Topics that their Subject Codes are mapped to."""
    completed: dict[Subject, None] = {}
    uris = {subject.uri for subject in subjects}
    for subject in subjects:
        code_or_uri = subject.uri or subject.literal or ""
        if match := _TOPIC.fullmatch(code_or_uri):
            completed[replace(subject, uri=MEDIA_TOPIC + match[1], literal=None)] = None
        elif (match := _CODE.fullmatch(code_or_uri)) and (topic := _topic_of(match[1])):
            completed[replace(subject, uri=SUBJECT_CODE + match[1], literal=None)] = None
            if MEDIA_TOPIC + topic[0] not in uris:
                completed[Subject(topic[1], uri=MEDIA_TOPIC + topic[0], creator=PIPELINE_CREATOR)] = None
        else:
            completed[subject] = None
    return tuple(completed)


def _topic_of(code: str) -> tuple[str, str] | None:
    """The Media Topic of a Subject Code, or of the subject matter or subject above it."""
    table = _mapping()
    for above in (code, code[:5] + "000", code[:2] + "000000"):
        if above in table:
            return table[above]
    return None


@cache
def _mapping() -> dict[str, tuple[str, str]]:
    rows = (_CATALOGS / "subject-codes.txt").read_text("utf-8").splitlines()
    cells = (row.split("\t") for row in rows if not row.startswith("#"))
    return {code: (topic, name) for code, topic, name in cells}
