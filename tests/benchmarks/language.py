"""How often the language of a text is told right, in the ten languages of the IPTC reference.

    python -m tests.benchmarks.language [--reference ../shared/corpus/reference/iptc-mediatopics-2019.json]

The texts are the definitions of Media Topics (IPTC NewsCodes, CC BY 4.0): each of more than 20 words (Chinese: 40
characters), or several that follow one another until there are so many; in Arabic, which has none, names in a row. Nothing is declared. "pt" and "pt-BR" are one
language here. Of each text's first 3, 6 and 12 words the table gives how many are right and the mean confidence, which
must fall with the length. What the definitions have in another language, or in another spelling, counts as wrong.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from processors.normalise.language import identify_language

ROOT: Final = Path(__file__).resolve().parents[2]
LONG: Final = 20  # words
CHINESE: Final = 40  # characters
SHORT: Final = (3, 6, 12)  # words
TAGS: Final = {
    "en-GB": "en", "ar": "ar", "dk": "da", "de": "de", "es": "es", "fr": "fr", "pt-PT": "pt", "pt-BR": "pt",
    "se": "sv", "zh-Hans": "zh",
}  # fmt: skip


def texts(path: Path) -> dict[str, list[str]]:
    """By the reference's own language codes."""
    found: dict[str, list[str]] = defaultdict(list)
    waiting: dict[str, str] = defaultdict(str)
    for concept in json.loads(path.read_text("utf-8"))["conceptSet"]:
        for language, definition in _definitions(concept):
            waiting[language] = f"{waiting[language]} {definition}".strip()
            if _is_long(language, waiting[language]):
                found[language].append(waiting.pop(language))
    return dict(found)


def _definitions(concept: Any) -> Iterator[tuple[str, str]]:
    for language, definition in (concept.get("definition") or {}).items():
        if language in TAGS and definition:
            yield language, definition
    if name := concept.get("prefLabel", {}).get("ar"):
        yield "ar", name  # the reference has no definitions in Arabic


def _is_long(language: str, text: str) -> bool:
    return len(text) > CHINESE if language.startswith("zh") else len(text.split()) > LONG


def main() -> None:
    """Measure and print, a row a language."""
    made = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    default = ROOT.parent / "shared" / "corpus" / "reference" / "iptc-mediatopics-2019.json"
    made.add_argument("--reference", type=Path, default=default)
    made.add_argument("--errors", type=int, default=0, metavar="N", help="show some that are wrong")
    options = made.parse_args()
    rows, faults = [], []
    total = right = 0
    for language, known in sorted(texts(options.reference).items()):
        told = [identify_language(text).tag.partition("-")[0] for text in known]
        good = sum(tag == TAGS[language] for tag in told)
        faults += [
            (language, tag, text) for tag, text in zip(told, known, strict=True) if tag != TAGS[language]
        ]
        total, right = total + len(known), right + good
        rows.append(f"| {language} | {good} of {len(known)} |{_short(language, known)}")
    heads = "".join(f" first {count} words, right | confidence |" for count in SHORT)
    print(f"| language | over {LONG} words, right |{heads}\n{'| --- ' * (2 + 2 * len(SHORT))}|")
    print(*rows, sep="\n")
    print(f"\nall: {right} of {total}, {right / max(1, total):.4f}")
    for language, tag, text in faults[: options.errors]:
        print(f"{language} taken for {tag}: {text[:150]}")


def _short(language: str, known: list[str]) -> str:
    cells = ""
    for count in SHORT:
        parts = [
            text[:count] if language.startswith("zh") else " ".join(text.split()[:count]) for text in known
        ]
        told = [identify_language(part) for part in parts]
        good = sum(each.tag.partition("-")[0] == TAGS[language] for each in told) / max(1, len(told))
        cells += f" {good:.2f} | {sum(each.confidence for each in told) / max(1, len(told)):.2f} |"
    return cells


if __name__ == "__main__":
    main()
