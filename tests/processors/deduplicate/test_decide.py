"""Where stories stand: identifiers first, then links, names, content and likeness."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from config.settings import Deduplicate
from processors.deduplicate import Deduplicator
from processors.model.event import Event, Lineage
from processors.model.story import AltId, Named, Story, Subject
from tests.processors.deduplicate.stories import event, report


@pytest.fixture
def window() -> Deduplicator:
    return Deduplicator(Deduplicate())


def relations(window: Deduplicator, *events: Event) -> list[tuple[str, str, str | None]]:
    lineages = [window.decide(each).lineage for each in events]
    return [(lineage.story, lineage.relation, lineage.of) for lineage in lineages]


def test_a_first_story_is_new(window: Deduplicator) -> None:
    assert window.decide(event("a", report(1))).lineage == Lineage("a", "new")


def test_the_same_version_gives_the_same_answer_whenever_it_comes_again(window: Deduplicator) -> None:
    first = window.decide(event("a", report(1)))
    window.decide(event("a", report(1) + " More.", version="2", hours=1))
    copy = window.decide(event("b", report(1), hours=2))
    again = window.decide(event("a", report(1)))
    assert (again.lineage, again.evidence) == (replace(first.lineage, again=True), first.evidence)
    assert again.memory == b""
    assert window.decide(event("b", report(1), hours=2)).lineage == replace(copy.lineage, again=True)


def test_other_words_under_the_same_version_are_an_update(window: Deduplicator) -> None:
    decided = [
        window.decide(event("a", text)).lineage for text in (report(1), report(1) + " The count is 17.")
    ]
    assert [(lineage.relation, lineage.again) for lineage in decided] == [("new", False), ("update", False)]
    assert window.decide(event("a", report(1) + " The count is 17.")).lineage == replace(
        decided[1], again=True
    )


def test_a_version_that_changes_nothing_but_its_number_and_times_is_a_duplicate(window: Deduplicator) -> None:
    first = event("a", report(1), "Ferry opens", version="1")
    touched = [event("a", report(1), "Ferry opens", version=version, hours=1) for version in ("2", "3")]
    assert relations(window, first, *touched) == [("a", "new", None), *[("a", "duplicate", "a")] * 2]
    changed = event("a", report(1), "Ferry opens", version="4", hours=2)
    moved = replace(changed, story=replace(changed.story, embargoed_until="2026-03-03T12:00:00Z"))
    assert window.decide(moved).lineage.relation == "update"
    stale = window.decide(event("a", report(2), "Ferry opens", version="3", hours=2))
    assert (stale.lineage.relation, stale.lineage.again) == ("duplicate", False)


@pytest.mark.parametrize(
    "changed",
    [
        {"slugline": "FERRY-OPENS"},
        {"associations": (Story("urn:picture"),)},
        {"subjects": (Subject(literal="transport"),)},
        {"pub_status": "withheld"},
        {"ed_note": "Adds a picture"},
    ],
)
def test_a_version_that_changes_its_metadata_is_an_update(
    window: Deduplicator, changed: dict[str, object]
) -> None:
    first, second = (event("a", report(1), "Ferry opens", version=version) for version in ("1", "2"))
    window.decide(first)
    assert window.decide(replace(second, story=replace(second.story, **changed))).lineage.relation == "update"


def test_a_version_that_takes_back_the_last_change_is_an_update(window: Deduplicator) -> None:
    texts = (report(1), report(1) + " The count is 17.", report(1))
    events = [event("a", text, version=str(number)) for number, text in enumerate(texts, 1)]
    assert [relation for _, relation, _ in relations(window, *events)] == ["new", "update", "update"]


def test_another_status_under_the_same_version_and_words_is_told(window: Deduplicator) -> None:
    first = event("a", report(1))
    window.decide(first)
    killed = window.decide(replace(first, story=replace(first.story, pub_status="canceled")))
    assert (killed.lineage.relation, killed.lineage.again) == ("kill", False)


def test_a_higher_version_updates_and_a_lower_one_that_comes_late_adds_nothing(window: Deduplicator) -> None:
    assert relations(
        window,
        event("a", report(1)),
        event("a", report(1, 12), version="3", hours=1),
        event("a", report(1, 10), version="2", hours=2),
        event("a", report(1, 14), version="4", hours=3),
    ) == [("a", "new", None), ("a", "update", "a"), ("a", "duplicate", "a"), ("a", "update", "a")]


def test_members_of_a_chain_are_counted_and_duplicates_keep_their_parents_number(
    window: Deduplicator,
) -> None:
    events = (
        event("a", report(1)),
        event("b", report(1), hours=1),
        event("a", report(1) + " The count is 17.", version="2", hours=2),
        event("c", report(1) + " The count is 17.", hours=3),
        event("a", report(1) + " The count is 18.", version="3", hours=4),
    )
    assert [window.decide(each).lineage.sequence for each in events] == [1, 1, 2, 2, 3]


def test_the_same_text_under_another_uri_is_a_duplicate_with_a_score(window: Deduplicator) -> None:
    window.decide(event("a", report(1), "Ferry opens"))
    lineage = window.decide(event("b", report(1), "Ferry opens at last", hours=5)).lineage
    assert lineage == Lineage("a", "duplicate", of="a", score=1.0)


def test_languages_do_not_mix_but_their_regions_do(window: Deduplicator) -> None:
    assert relations(
        window,
        event("a", report(1), language="en-GB"),
        event("b", report(1), language="en-US"),
        event("c", report(1) + " The town clerk said so late on Friday.", language="nl"),
    ) == [("a", "new", None), ("a", "duplicate", "a"), ("c", "new", None)]


@pytest.mark.parametrize("role", ["rewrite-of", "derivedFrom", "evolvedfrom", "replaces"])
def test_the_publishers_link_beats_likeness(window: Deduplicator, role: str) -> None:
    linked = event("b", report(2), hours=1, alt_ids=(AltId("a", role),))
    assert relations(window, event("a", report(1)), linked)[1] == ("a", "update", "a")


def test_an_unknown_link_links_nothing(window: Deduplicator) -> None:
    linked = event("b", report(2), alt_ids=(AltId("z", "rewrite-of"), AltId("a", "message")))
    assert relations(window, event("a", report(1)), linked)[1] == ("b", "new", None)


@pytest.mark.parametrize(
    ("headline", "relation"),
    [
        ("UPDATE 1-Ferry opens", "update"),
        ("CORRECTED-Ferry opens", "correction"),
        ("KILL-Ferry opens", "kill"),
    ],
)
def test_marks_in_the_headline_decide_the_relation(
    window: Deduplicator, headline: str, relation: str
) -> None:
    later = event("b", report(1) + " It is blue.", headline, hours=1)
    assert relations(window, event("a", report(1), "Ferry opens"), later)[1] == ("a", relation, "a")


def test_a_cancelled_version_kills_the_chain_even_without_text(window: Deduplicator) -> None:
    killed = event("a", "", version="2", status="canceled", hours=1)
    assert relations(window, event("a", report(1)), killed)[1] == ("a", "kill", "a")


def test_a_correction_or_kill_of_a_story_never_seen_has_no_parent(window: Deduplicator) -> None:
    assert relations(
        window,
        event("a", report(1), "CORRECTED-Ferry opens"),
        event("b", "", status="canceled"),
    ) == [("a", "correction", None), ("b", "kill", None)]


def test_a_correction_sent_again_under_another_uri_is_a_duplicate(window: Deduplicator) -> None:
    headline = "CORRECTED-Ferry opens"
    sent = event("a", report(1), headline), event("b", report(1), headline, hours=1)
    assert relations(window, *sent)[1] == ("a", "duplicate", "a")


@pytest.mark.parametrize(
    ("advisory", "relation"),
    [
        ("In PORT ELLERY story headlined “{}”, please read 5-2 instead of 4-3.", "correction"),
        ("Attention editors: please kill the story headlined “{}”. A substitute follows.", "kill"),
    ],
)
def test_an_advisory_chains_to_the_story_whose_headline_it_names(
    window: Deduplicator, advisory: str, relation: str
) -> None:
    headline = "Council of Port Ellery votes for a night ferry"
    window.decide(event("a", report(1), headline))
    window.decide(event("b", report(2), "Council of Port Ellery hires a gardener"))
    note = event("c", advisory.format(headline.upper()), "ADVISORY", hours=1)
    assert relations(window, note) == [("a", relation, "a")]


def test_copies_that_were_cut_added_to_and_restyled_are_found(window: Deduplicator) -> None:
    text = report(1, 16)
    paragraphs = text.split("\n\n")
    window.decide(event("a", text, "Ferry opens after years"))
    footer = "Sign up for our letter. All rights reserved by the Gannet Courier and its partners."
    copies = {
        "cut": "\n\n".join(paragraphs[:4]),
        "headed": "\n\n".join([report(9, 2), *paragraphs]),
        "footed": "\n\n".join([*paragraphs[:8], footer]),
        "turned": "\n\n".join([paragraphs[0], *reversed(paragraphs[1:])]),
        "capitals": text.upper(),
    }
    for uri, copy in copies.items():
        assert window.decide(event(uri, copy, "Business brief", hours=2)).lineage.story == "a", uri


def test_strangers_stay_apart(window: Deduplicator) -> None:
    assert all(window.decide(event(str(seed), report(seed))).lineage.relation == "new" for seed in range(200))


def test_templates_with_other_names_and_figures_do_not_chain(window: Deduplicator) -> None:
    companies = [report(seed, 1).split()[1].title() + f" Holdings {seed}" for seed in range(60)]
    for number, company in enumerate(companies):
        cents, day = 11 + 7 * number, 1 + number % 28
        notice = (
            f"{company} declares quarterly dividend. Qtly div {cents} cts vs {cents + 3} cts prior. Pay April "
            f"{day}. Record March {day}. Shareholders of {company} will receive the dividend on the date stated."
        )
        decided = window.decide(event(f"d{number}", notice, f"{company} sets quarterly", hours=number / 60))
        assert decided.lineage.relation == "new", notice


def test_changed_figures_are_an_update_and_a_cut_is_a_duplicate(window: Deduplicator) -> None:
    text = report(3, 12)
    window.decide(event("a", text))
    changed = re.sub(r"\d+", "41", text, count=1) + "\n\n" + report(77, 1)
    assert window.decide(event("b", changed, hours=1)).lineage.relation == "update"
    assert (
        window.decide(event("c", "\n\n".join(text.split("\n\n")[:7]), hours=1)).lineage.relation
        == "duplicate"
    )


def test_the_evidence_names_score_features_and_shared_keys(window: Deduplicator) -> None:
    text = report(1, 12)
    window.decide(event("a", text, "Ferry opens"))
    decided = window.decide(event("b", "\n\n".join(text.split("\n\n")[:7]), "Ferry opens", hours=1))
    evidence = {feature.name: feature.value for feature in decided.evidence}
    assert decided.lineage.score == evidence["score"] >= 0.5
    assert evidence["containment"] == pytest.approx(1.0, abs=0.01)
    assert evidence["headline"] == 1.0
    assert evidence["shared-keys"] >= 10
    assert evidence["hours"] == 1.0


EXAMPLES = {
    "es": (
        "El pleno de Puerto Allende aprobó el martes, por cinco votos contra dos, el transbordador nocturno a la isla "
        "de Gaviotas, según explicó la alcaldesa Inés Carvajal después de una sesión que duró más de nueve horas. La "
        "oposición anunció que recurrirá el acuerdo ante los tribunales porque el ruido perjudica a las focas."
    ),
    "fr": (
        "Le conseil municipal de Valbrune a adopté mardi, par cinq voix contre deux, la création d'une navette de nuit "
        "vers l'île aux Mouettes, a annoncé la maire Solène Aubry à l'issue d'une séance de près de neuf heures. "
        "L'opposition a déjà fait savoir qu'elle déposerait un recours, le bruit gênant selon elle les phoques."
    ),
    "de": (
        "Der Stadtrat von Hafenbrück hat am Dienstag mit fünf zu zwei Stimmen eine Nachtfähre zur Möweninsel "
        "beschlossen, wie Bürgermeisterin Ines Öhlmann nach einer mehr als neunstündigen Sitzung mitteilte. Die "
        "Opposition kündigte eine Klage an, weil der Lärm die Seehunde an der nördlichen Anlegestelle störe."
    ),
    "ar": (
        "صوت مجلس بلدية ميناء النورس يوم الثلاثاء بأغلبية خمسة أصوات مقابل صوتين لصالح تسيير عبارة ليلية إلى الجزيرة "
        "وقالت رئيسة البلدية بعد جلسة استمرت أكثر من تسع ساعات إن السكان يستحقون وسيلة للعودة إلى منازلهم بعد العمل "
        "وأعلنت المعارضة أنها ستطعن في القرار أمام المحكمة لأن الضوضاء تزعج الفقمات قرب المرسى الشمالي"
    ),
    "ja": (
        "港町のかもめ市議会は火曜日、島とを結ぶ夜間の渡し船を五対二の賛成多数で可決した。九時間を超える審議の後、"
        "市長は記者団に対し、夜遅くまで働く人々には家に帰る手段が必要だと述べた。反対派は北の桟橋の近くで子育てを"
        "するアザラシに騒音の影響が出るとして、決定の取り消しを求めて裁判所に訴える方針を明らかにした。"
    ),
    "th": (
        "สภาเทศบาลเมืองท่านกนางนวลลงมติเมื่อวันอังคารด้วยคะแนนห้าต่อสองให้เปิดเรือข้ามฟากกลางคืนไปยังเกาะ"
        "นายกเทศมนตรีกล่าวหลังการประชุมนานกว่าเก้าชั่วโมงว่าชาวบ้านสมควรมีทางกลับบ้านหลังเลิกงาน"
        "ฝ่ายค้านประกาศว่าจะฟ้องศาลเพราะเสียงดังรบกวนแมวน้ำใกล้ท่าเรือด้านเหนือ"
    ),
}


@pytest.mark.parametrize("language", EXAMPLES)
def test_other_languages_and_scripts_are_compared(window: Deduplicator, language: str) -> None:
    text = EXAMPLES[language]
    other = " ".join(reversed(text.split())) if " " in text else text[::-1]
    sent = (
        event("a", text, language=language),
        event("b", text[: int(len(text) * 0.7)], language=language, hours=1),
        event("c", other, language=language, hours=1),
    )
    assert [story for story, _, _ in relations(window, *sent)] == ["a", "a", "c"]


NOTICES = (
    "Flood warning for the River {} at {}",
    "{} {} Park: moderate to good ground, {} runners declared",
    "Road closed: {} Bridge, {} side, until {} o'clock",
)
PLACES = ("Eller", "Marrow", "Sedge", "Tarn", "Wyvern", "Brindle", "Osk", "Pell")


@pytest.mark.parametrize("notice", NOTICES)
@pytest.mark.parametrize("with_text", [False, True])
def test_notices_of_a_line_from_one_template_stay_apart(
    window: Deduplicator, notice: str, with_text: bool
) -> None:
    for number, place in enumerate(PLACES):
        line = notice.format(place, PLACES[number - 3], 3 + number)
        text = f"{line}, the agency said on Monday." if with_text else ""
        decided = window.decide(event(f"n{number}", text, line, hours=number / 10))
        assert decided.lineage.relation == "new", line
    again = window.decide(event("again", "", notice.format(PLACES[0], PLACES[-3], 3), hours=1))
    assert with_text or again.lineage.story == "n0"


def test_headlines_that_end_in_the_number_of_another_file_stay_apart(window: Deduplicator) -> None:
    line = "Harbour board challenges the night train tariff in Osk, file {}"
    for number, name in enumerate(("tarnel", "brodal", "sedwin")):
        assert window.decide(event(name, "", line.format(name), hours=number)).lineage.relation == "new"
    longer = window.decide(event("longer", "", line.format("brodal") + ", officials say", hours=4))
    assert longer.lineage.story == "brodal"


def test_a_flash_and_the_story_that_follows_it_are_one_chain(window: Deduplicator) -> None:
    text = report(4, 12)
    flash = text.split("\n\n")[0]
    assert len(flash.split()) < 20
    window.decide(event("flash", flash.upper(), "URGENT"))
    assert window.decide(event("story", text, "Ferry opens", hours=0.2)).lineage.story == "flash"


@pytest.mark.parametrize(
    ("genre", "relation"),
    [
        (Named(uri="http://cv.iptc.org/newscodes/signal/correction"), "correction"),
        (Named(uri="http://cv.iptc.org/newscodes/signal/update"), "update"),
        (Named("Retraction", literal="sig:retraction"), "kill"),
        (Named(uri="http://cv.iptc.org/newscodes/genre/Current"), "duplicate"),
    ],
)
def test_the_publishers_signal_decides_the_relation(
    window: Deduplicator, genre: Named, relation: str
) -> None:
    told = event("b", report(1) + "\n\n" + report(1, 1), "Ferry opens", hours=1)
    told = replace(told, story=replace(told.story, genres=(genre,)))
    assert relations(window, event("a", report(1), "Ferry opens"), told)[1] == ("a", relation, "a")


@pytest.mark.parametrize(
    ("headline", "relation"),
    [
        ("Night ferry sinks off Gannet Island", "update"),
        ("Night ferry does not leave Port Ellery", "update"),
        ("Night ferry leaves Port Ellery for the last time, owner says", "update"),
        ("Is the night ferry safe? Port Ellery asks", "update"),
        ("WORLD NEWS: Night ferry leaves Port Ellery", "duplicate"),
        ("NIGHT FERRY LEAVES PORT ELLERY", "duplicate"),
        ("Night ferry leaves Port Ellery - Coastpress", "duplicate"),
    ],
)
def test_a_story_whose_headline_alone_differs_is_judged_by_what_the_headline_says(
    window: Deduplicator, headline: str, relation: str
) -> None:
    first = event("a", report(1), "Night ferry leaves Port Ellery")
    made = relations(window, first, event("b", report(1), headline, hours=1))
    assert made[1] == ("a", relation, "a")


@pytest.mark.parametrize("until", ["2026-01-12T20:00:00Z", "2026-01-13T20:00:00Z", None])
def test_a_version_that_only_moves_its_embargo_is_an_update(window: Deduplicator, until: str | None) -> None:
    made = event("a", report(1))
    held = replace(
        made, story=replace(made.story, pub_status="withheld", embargoed_until="2026-01-13T08:00:00Z")
    )
    moved = replace(held, story=replace(held.story, version="2", embargoed_until=until))
    assert relations(window, held, moved)[1] == ("a", "update", "a")
