"""Pieces of words with their vectors: a word no one has seen still has parts that were."""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

PIECES: Final = Path(__file__).parent / "model" / "pieces.npz"
PIECE_WIDTH: Final = 64
SPACE_MARK: Final = "\u2581"  # opens a piece that begins a word
UNKNOWN_COST: Final = 10.0  # below the rarest piece, as the model that the pieces come from has it
MAX_PIECE_CHARS: Final = 16
MAX_WORD_CHARS: Final = 40  # that are read; a longer word is none, and its pieces tell nothing


class PieceTable:
    """The pieces that words are made of, and a vector for each."""

    def __init__(self, pieces: list[str], scores: NDArray[np.float32], vectors: NDArray[np.int8]) -> None:
        """The vectors have one more row than there are pieces: that of what is no piece."""
        self._numbers = {piece: number for number, piece in enumerate(pieces)}
        self._scores: list[float] = scores.tolist()
        self._unknown = float(scores.min()) - UNKNOWN_COST
        self.nothing: Final = len(pieces)
        self.vectors: Final = vectors

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the table that the training script wrote."""
        with np.load(path) as archive:
            pieces = archive["pieces"].tobytes().decode().split("\n")
            vectors = np.vstack([archive["vectors"], np.zeros((1, PIECE_WIDTH), np.int8)])
            return cls(pieces, archive["scores"].astype(np.float32), vectors)

    def split(self, word: str, *, opens: bool = True) -> list[tuple[int, int]]:
        """The likeliest pieces of a word (Kudo 2018): each the number of a piece and how many characters it has."""
        text = unicodedata.normalize("NFKC", word[:MAX_WORD_CHARS])
        if opens:
            text = SPACE_MARK + text
        best: list[tuple[float, int, int]] = [(0.0, 0, self.nothing)]  # score, start, piece
        best += [(-1e9, 0, self.nothing)] * len(text)
        for start in range(len(text)):
            before = best[start][0]
            if before + self._unknown > best[start + 1][0]:
                best[start + 1] = (before + self._unknown, start, self.nothing)
            for end in range(start + 1, min(len(text), start + MAX_PIECE_CHARS) + 1):
                piece = self._numbers.get(text[start:end])
                if piece is not None and before + self._scores[piece] > best[end][0]:
                    best[end] = (before + self._scores[piece], start, piece)
        pieces, end = [], len(text)
        while end:
            _, start, piece = best[end]
            pieces.append((piece, end - start))
            end = start
        return pieces[::-1]


@cache
def piece_table() -> PieceTable:
    """The shipped table, loaded on first use."""
    return PieceTable.load(PIECES)
