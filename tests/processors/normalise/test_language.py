"""Languages are told as newsrooms call them, whatever form of their code is sent or found."""

from __future__ import annotations

import pytest

from processors.normalise.language import identify
from tests.processors.normalise.samples import one

ARABIC = "افتتح العمدة اليوم الحديقة الجديدة في وسط المدينة بحضور السكان، وقال إن العمل استغرق عامين كاملين بسبب الأمطار."
CANTONESE = "佢哋話今日落大雨，所以啲小學同中學都唔使返學，市長叫大家留喺屋企，唔好出街。"


@pytest.mark.parametrize(
    ("declared", "tag"),
    [
        ("ary", "ar"), ("arb-EG", "ar-EG"), ("cmn-hans", "zh-Hans"), ("yue_HK", "zh-HK"), ("wuu", "zh"), ("deu", "de"), ("ger", "de"),
        ("ENG", "en"), ("pes", "fa"), ("swh", "sw"), ("nob", "nb"), ("ckb", "ckb"), ("nb-NO", "nb-NO"), ("pt-br", "pt-BR"),
    ],
)  # fmt: skip
def test_a_declared_language_is_told_by_its_common_code(declared: str, tag: str) -> None:
    assert identify("12 : 7", declared).tag == tag


def test_what_was_declared_stays() -> None:
    found = identify(ARABIC, "ARY-ma")
    assert (found.tag, found.declared) == ("ar-MA", "ary-MA")


@pytest.mark.parametrize(("text", "tag"), [(ARABIC, "ar"), (CANTONESE, "zh")])
def test_a_language_that_is_found_is_told_by_its_common_code(text: str, tag: str) -> None:
    assert identify(text).tag == tag


def test_the_story_has_the_common_code_too() -> None:
    feed = "<rss><channel><language>deu</language><item><title>Der Hafen wird im Frühjahr von der Stadt erneuert</title></item></channel></rss>"
    found = one(feed)
    assert found.language is not None
    assert (found.story.language, found.language.declared) == ("de", "deu")
