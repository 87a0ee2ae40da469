"""Splits text of any language into the words and marks that the recogniser reads, with their offsets."""

from __future__ import annotations

import re
from typing import Final

MARKS: Final = (
    "\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u200c\u200d"  # they stand on letters
)
# Scripts written without blanks: a character is a word.
UNSPACED_CHARS: Final = (
    "\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003134f"
)
LETTER: Final = rf"[^\W\d_{UNSPACED_CHARS}]"
SHORT_WORDS: Final = (
    "Mr|Mrs|Ms|Dr|Jr|Sr|St|Inc|Corp|Co|Ltd|Bros|Gen|Gov|Sen|Rep|Lt|Col|Sgt|Capt|Maj|Rev|Prof|Jan|Feb|Mar|Apr|Jun|Jul|"
    "Aug|Sept?|Oct|Nov|Dec|vs"
)
WORD: Final = re.compile(
    rf"[{UNSPACED_CHARS}]"
    r"|\d+(?:[.,:]\d+)*"
    rf"|(?:{LETTER}\.)+(?!{LETTER}{LETTER})"  # U.S., J.
    rf"|(?:{SHORT_WORDS})\."
    rf"|{LETTER}+(?=n['’]t\b)|n['’]t\b"
    r"|['’](?:s|S|re|ve|ll|d|m)\b"
    rf"|{LETTER}(?:{LETTER}|[{MARKS}])*(?:['’](?!(?:s|S|re|ve|ll|d|m)\b)(?={LETTER}))?"  # l'Union: "l'" is a word
    r"|\S"
)
IS_UNSPACED: Final = re.compile(f"[{UNSPACED_CHARS}]")


def split_words(text: str) -> tuple[list[str], list[int]]:
    """The words of a text and the offset of each."""
    words, starts = [], []
    for match in WORD.finditer(text):
        words.append(match.group())
        starts.append(match.start())
    return words, starts
