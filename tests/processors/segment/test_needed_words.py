"""What patterns are not tried without: no line that they match lacks it."""

from __future__ import annotations

import re
import string
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.lexicon import agencies, every_language
from config.tables import common_lines
from processors.layout.agencies import Templates, needed_by, pattern
from processors.layout.phrases import OpeningPatterns, _read_openings, phrases

CUES = {
    "caption": common_lines().caption,
    "contributed": tuple(cue for _, words in every_language() for cue in words.lines.contributed),
}
AGENCIES = agencies().agency
FEW = settings(max_examples=30, deadline=None)  # the first example compiles every phrase


@pytest.mark.parametrize("name", ["caption", "contributed"])
@FEW
@given(st.data())
def test_every_line_of_a_phrase_has_one_of_its_words(name: str, data: st.DataObject) -> None:
    cue = data.draw(st.sampled_from(CUES[name]))
    line = data.draw(st.from_regex(cue))
    assert any(word in line for word in getattr(phrases(), name).words)


@pytest.mark.parametrize("name", ["note", "signoff", "boilerplate"])
@FEW
@given(st.data())
def test_what_may_not_begin_with_a_letter_is_not_tried(name: str, data: st.DataObject) -> None:
    cue = data.draw(
        st.sampled_from([cue for _, words in every_language() for cue in getattr(words.lines, name)])
    )
    patterns = OpeningPatterns([cue])
    line = data.draw(st.from_regex(cue.replace("{version_end}", "").replace("{marked_end}", "")))
    assert (patterns.match(line) is None) == (re.match(patterns.written, line) is None)


@pytest.mark.parametrize("pattern", [
    "[a-c]lpha", "[^x]lpha", r"\w{2}", r"\W{0,3}beta", "(?:gamma|)", "(?:a|b)?c", "(?=d)d", "(?i:e)", "f*?g", "(?<!x)h",
    r"[\[:]i", r"\bj", "(k)(?:l)", ".m", "n{0}o", "(?:p|q)r",
])  # fmt: skip
def test_a_letter_that_a_pattern_may_begin_with_is_seen(pattern: str) -> None:
    patterns = OpeningPatterns([pattern])
    lines = [
        mark + first + second
        for mark in ("", "-", "É")
        for first in "abcdefghijklmnopqrxé"
        for second in "abcdglprx"
    ]
    lines += [line + "lpha beta gamma" for line in lines] + ["alpha", "beta", "gamma", ""]
    assert [line for line in lines if patterns.match(line)] == [
        line for line in lines if re.match(pattern, line)
    ]


def test_all_patterns_are_tried_where_python_tells_nothing_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "re._parser", None)
    monkeypatch.delattr(re, "_parser")
    patterns = OpeningPatterns(["fallback alpha", "fallback beta"])
    assert patterns.match("fallback beta")
    assert not patterns.match("fallback gamma")
    assert _read_openings("fallback alpha") == frozenset(string.ascii_lowercase)


@pytest.mark.parametrize("kind", ["signoffs", "initials", "credits", "notes", "boilerplate"])
@FEW
@given(st.data())
def test_every_line_of_a_template_has_what_it_needs(kind: str, data: st.DataObject) -> None:
    known = [template for entry in AGENCIES for template in getattr(entry, kind)]
    template = data.draw(st.sampled_from(known)).lower()
    line = data.draw(st.from_regex(pattern(template), fullmatch=True))
    assert needed_by(template) in line
    assert Templates.of(known).describe(line)


def test_a_template_needs_a_common_mark_or_its_longest_word() -> None:
    assert needed_by("{name}/tass") == "/"
    assert needed_by("{name} - europa press") == "europa"
    assert Templates.of(["{name} - Europa Press", "AP"]).needed == ("europa",)


def test_no_templates_describe_nothing() -> None:
    assert not Templates.of([]).describe("")
