"""Invented stories: as many as a test wants, no two alike."""

from __future__ import annotations

import random
from typing import Any, Final

import orjson

PLACES: Final = (
    "Vigo",
    "Bergen",
    "Kunming",
    "Lyon",
    "Bend",
    "Gdansk",
    "Nairobi",
    "Osaka",
    "Leipzig",
    "Santiago",
)
PEOPLE: Final = ("Odette Marlowe", "Tomás Ruibal", "Grace Mwandira", "Konrad Wessling", "Haruto Minamide")
SYLLABLES: Final = (
    "ba",
    "cor",
    "del",
    "fen",
    "gil",
    "hap",
    "jun",
    "kes",
    "lor",
    "mit",
    "nov",
    "pel",
    "ras",
    "tun",
)
COMMON: Final = (
    "the council said on Wednesday that work would begin in March",
    "after the meeting in the town hall about two hundred people stayed",
    "officials expect the repairs to cost 3.2 million euros",
    "the company which employs 140 people did not comment",
)


def story(number: int, words: int = 300, *, created: str = "2026-11-20T12:00:00Z") -> dict[str, Any]:
    """A ninjs item of about so many words; the same number gives the same story."""
    draw = random.Random(number)  # noqa: S311 -- prose, not secrets
    place, person = draw.choice(PLACES), draw.choice(PEOPLE)
    sentences: list[str] = []
    while sum(len(sentence.split()) for sentence in sentences) < words:
        strange = " ".join("".join(draw.choices(SYLLABLES, k=3)) for _ in range(9))
        sentences.append(f"{draw.choice(COMMON).capitalize()}, while {strange} near {place}.")
        if draw.random() < 0.2:
            sentences.append(f"“We did not expect {strange.split()[0]},” said {person}.")
    paragraphs = [" ".join(sentences[at : at + 3]) for at in range(0, len(sentences), 3)]
    text = f"{place.upper()}, Nov 20 (Reuters) - " + "\n\n".join(paragraphs)
    return {
        "uri": f"urn:invented:{number}",
        "version": "1",
        "versionCreated": created,
        "language": "en",
        "headlines": [{"role": "main", "value": f"{place} {sentences[0].split(' while ')[1]}"[:80]}],
        "bodies": [{"role": "main", "contentType": "text/plain", "value": text}],
    }


def line(number: int, words: int = 300) -> bytes:
    """The story as one line of JSON."""
    return orjson.dumps(story(number, words))
