"""How often the encoding of undeclared text is told rightly, beside charset-normalizer and chardet alone.

``python -m tests.benchmarks.charsets [--texts FOLDER] [--half 1|2] [--pieces N]`` takes pieces of 50, 200 and 1,000
characters of each language, encodes them in each of its code pages, and counts those that come back as they were. The
texts are spaCy's example sentences, of which most languages have a few hundred characters; a folder holds longer ones as
``<language>.txt``. A text of which only ASCII is left is passed over. `--half` takes pieces of one half of each text only:
prices were chosen on first halves, so that the second ones tell. chardet is asked where it is installed.
"""

from __future__ import annotations

import argparse
import importlib
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from charset_normalizer import from_bytes

from processors.normalise.decode import choose_codec
from streams.generate.letters import PAGES, decompose_vietnamese

LENGTHS = (50, 200, 1_000)
MIN_ENCODABLE = 0.98  # of a text's characters: a code page with fewer is none of the language's
EAST_ASIAN = {"zh": "gb18030", "zh-Hant": "big5", "ja": "cp932 euc_jp", "ko": "cp949"}
OLD_LETTERS = {"ro": str.maketrans("șțȘȚ", "şţŞŢ"), "az": str.maketrans("əƏ", "äÄ")}


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--texts", type=Path, help="folder of <language>.txt")
    options.add_argument("--half", type=int, choices=(1, 2), help="take pieces of this half only")
    options.add_argument("--pieces", type=int, default=10, help="pieces of each language and length")
    arguments = options.parse_args()
    readers: dict[str, Callable[[bytes], str | None]] = {
        "wiredesk": lambda payload: choose_codec(payload)[0],
        "charset-normalizer": _by_charset_normalizer,
    }
    if chardet := _chardet():
        readers["chardet"] = chardet
    right: dict[tuple[str, int], Counter[bool]] = defaultdict(Counter)
    seconds: dict[str, float] = defaultdict(float)
    worst: Counter[tuple[str, str]] = Counter()
    languages: set[str] = set()
    for language, page, length, piece in _pieces(arguments.texts, arguments.half, arguments.pieces):
        payload = piece.encode(page, "ignore")
        if payload.isascii():
            continue
        languages.add(language)
        for name, read in readers.items():
            start = time.process_time()
            codec = read(payload)
            seconds[name] += time.process_time() - start
            is_right = codec is not None and _as_read(payload, codec, language) == _as_read(
                payload, page, language
            )
            right[name, length][is_right] += 1
            if name == "wiredesk" and not is_right and length >= LENGTHS[1]:
                worst[language, page] += 1
    _print(readers, right, seconds, worst, len(languages))


def _pieces(folder: Path | None, half: int | None, count: int) -> Iterator[tuple[str, str, int, str]]:
    """Language, code page, length and text of each piece."""
    for language, pages in {**PAGES, **EAST_ASIAN}.items():
        text = _text_of(language, folder)
        text = text[: len(text) // 2] if half == 1 else text[len(text) // 2 :] if half == 2 else text
        if language == "vi":
            text = decompose_vietnamese(text)
        for length in LENGTHS:
            chance = random.Random(f"{language} {length}")  # noqa: S311 -- the same pieces at each run
            starts = (
                [chance.randrange(len(text) - length) for _ in range(count)] if len(text) > length else []
            )
            for page in pages.split():
                usual = text.translate(OLD_LETTERS.get(language, {})) if "16" not in page else text
                if not usual or len(usual.encode(page, "ignore").decode(page)) < MIN_ENCODABLE * len(usual):
                    continue
                for start in starts:
                    yield language, page, length, usual[start : start + length]


def _text_of(language: str, folder: Path | None) -> str:
    if folder:
        path = folder / f"{language}.txt"
        return path.read_text("utf-8") if path.exists() else ""
    try:
        examples = importlib.import_module(f"spacy.lang.{language}.examples")
    except ImportError:
        return ""
    return "\n".join(examples.sentences)


def _as_read(payload: bytes, codec: str, language: str) -> str:
    """The characters; Romanian letters with a cedilla and with a comma have the same bytes."""
    try:
        return payload.decode(codec, "replace").translate(OLD_LETTERS["ro"] if language == "ro" else {})
    except LookupError:
        return ""


def _by_charset_normalizer(payload: bytes) -> str | None:
    best = from_bytes(payload).best()
    return best.encoding if best else None


def _chardet() -> Callable[[bytes], str | None] | None:
    try:
        chardet = importlib.import_module("chardet")
    except ImportError:
        return None
    return lambda payload: chardet.detect(payload)["encoding"]


def _print(
    readers: dict[str, Callable[[bytes], str | None]],
    right: dict[tuple[str, int], Counter[bool]],
    seconds: dict[str, float],
    worst: Counter[tuple[str, str]],
    languages: int,
) -> None:
    texts = {length: right["wiredesk", length].total() for length in LENGTHS}
    print(
        f"{languages} languages; pieces: "
        + ", ".join(f"{count} of {length}" for length, count in texts.items())
    )
    for name in readers:
        shares = [f"{right[name, length][True] / max(1, texts[length]):.4f}" for length in LENGTHS]
        print(
            f"{name:20} {'  '.join(shares)}  {1000 * seconds[name] / sum(texts.values()):.2f} ms of CPU a piece"
        )
    print("wrong from 200 characters on:", worst.most_common(12))


if __name__ == "__main__":
    main()
