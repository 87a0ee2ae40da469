"""Languages are told as newsrooms call them, whatever form of their code is sent or found."""

from __future__ import annotations

import pytest

from processors.normalise.language import identify_language
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
    assert identify_language("12 : 7", declared).tag == tag


def test_what_was_declared_stays() -> None:
    language = identify_language(ARABIC, "ARY-ma")
    assert (language.tag, language.declared) == ("ar-MA", "ary-MA")


@pytest.mark.parametrize(("text", "tag"), [(ARABIC, "ar"), (CANTONESE, "zh")])
def test_a_language_that_is_found_is_told_by_its_common_code(text: str, tag: str) -> None:
    assert identify_language(text).tag == tag


def test_the_story_has_the_common_code_too() -> None:
    feed = "<rss><channel><language>deu</language><item><title>Der Hafen wird im Frühjahr von der Stadt erneuert</title></item></channel></rss>"
    event = one(feed)
    assert event.language is not None
    assert (event.story.language, event.language.declared) == ("de", "deu")


ENGLISH = "The council of Port Alder said on Monday that it would repair the wall of the harbour by spring, and that the work has been paid for."
GERMAN = "Die Stadt will die Mauer des Hafens bis zum Frühjahr erneuern, sagte der Bürgermeister am Montag, und das Geld dafür ist da."
SWAHILI = "Meya wa mji huo alisema Jumatatu kwamba ukuta wa bandari utatengenezwa kabla ya mvua kuanza, na kwamba fedha zimeshapatikana."
SORBIAN = "Měšćanosta je póndźelu rozprawjał, zo so murja přistawa hač do nalěća ponowi, a zo su pjenjezy za to hižo přizwolene a přihotowane."
RESULTS = "Kisújfalu 2 Nagyvölgyháza 1\nTiszamező 0 Szőlőhegyes 3\nÓvárosfő 1 Gyöngyöspatakfalva 1\nKőrösfalu 4 Mezőhídvégefő 2"
TABLE = "OPEN HIGH LOW CLOSE\nJAN7 4205 4225 4185 4220L\nMAR7 4222B 4227A -- --\nJUN7 4250 4265 4223 4256L\nAUG7 4293B 4298A 4307"


@pytest.mark.parametrize(
    ("text", "declared"),
    [
        (RESULTS, "en"), (f"Results on Sunday:\n{RESULTS}", "en"), (f"Ergebnisse vom Sonntag:\n{RESULTS}", "de"), (TABLE, "en"),
        ("João Vidal, São Brás, Conceição Leão, Inês Falcão, Simão Pires, Gonçalo Brandão, Fabião Serrão, Adão Mourão", "es"),
        ("Shr 32 cts vs 20 cts\nNet 1,982,000 vs 1,022,000\nRevs 24.0 mln vs 23.9 mln", "en"), ("1 2 3", "fi"), ("", "pl"),
    ],
)  # fmt: skip
def test_names_tables_and_figures_contradict_no_declared_language(text: str, declared: str) -> None:
    assert identify_language(text, declared).tag == declared


def test_results_without_a_declared_language_are_still_detected() -> None:
    assert identify_language(RESULTS).tag == "hu"


@pytest.mark.parametrize(
    ("text", "declared", "tag"),
    [
        (GERMAN, "en", "de"), (GERMAN, "fr-CA", "de"), (ENGLISH, "de", "en"), (ENGLISH, "ja", "en"), (ENGLISH, "nb-NO", "en"),
        (SWAHILI, "en", "sw"), (ARABIC, "en", "ar"), (CANTONESE, "en-US", "zh"), ("Москва 2 Казань 1", "en", "ru"), (ARABIC[:20], "de", "ar"),
        (ENGLISH, "hsb", "en"), (ENGLISH, "jp", "en"), (SWAHILI, "cz", "sw"),
    ],
)  # fmt: skip
def test_a_declared_language_that_is_plainly_wrong_is_overruled(text: str, declared: str, tag: str) -> None:
    assert identify_language(text, declared).tag == tag


@pytest.mark.parametrize(
    ("text", "declared", "among"), [(SORBIAN, "hsb", ()), (SWAHILI, "sw", ("en", "es")), (GERMAN, "de", ("en", "es"))]
)  # fmt: skip
def test_a_declared_language_that_the_detector_does_not_know_is_not_taken_for_another(
    text: str, declared: str, among: tuple[str, ...]
) -> None:
    assert identify_language(text, declared, among).tag == declared


@pytest.mark.parametrize(("text", "declared"), [(ENGLISH, "en"), (GERMAN, "de"), (RESULTS, "en")])
def test_the_versions_of_a_growing_story_keep_its_declared_language(text: str, declared: str) -> None:
    versions = [f"{text} {RESULTS}"[:length] for length in range(1, len(text) + len(RESULTS), 7)]
    assert {identify_language(version, declared).tag for version in versions} == {declared}


def test_a_code_that_means_no_language_is_no_declaration() -> None:
    assert identify_language(GERMAN, "und").declared is None
    assert identify_language(GERMAN, "mul").tag == "de"


FERRY_GERMAN = "Die Fähre nach Alderhafen wird teurer, sagte der Hafenmeister am Donnerstag. Für die Bürger gibt es keine Ermäßigung mehr."
FERRY_ENGLISH = "The ferry to Port Alder will cost more, the harbour master said on Thursday. There is no discount for the people of the town."


def test_a_declared_language_is_believed_unless_the_words_say_otherwise() -> None:
    assert (
        identify_language(FERRY_ENGLISH, "en-gb").tag,
        identify_language(FERRY_ENGLISH, "en-gb").declared,
    ) == (
        "en-GB",
        "en-GB",
    )
    assert identify_language(FERRY_GERMAN, "en").tag == "de"
    assert identify_language(FERRY_GERMAN, "en").declared == "en"
    assert identify_language(FERRY_GERMAN).tag == "de"
    assert identify_language("12 : 7", "fi").tag == "fi"
    assert identify_language("12 : 7").tag == "und"
    assert identify_language(FERRY_ENGLISH, "not a tag").declared is None


def test_a_short_text_is_less_sure() -> None:
    assert identify_language("Harbour wall").confidence < identify_language(FERRY_ENGLISH).confidence
