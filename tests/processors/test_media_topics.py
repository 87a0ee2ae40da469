"""Every topic of the catalogue has its ancestors, with and without the prefix."""

from __future__ import annotations

from processors.media_topics import (
    CODE_PREFIX,
    codes_by_name,
    find_ancestors,
    is_media_topic,
    media_topics,
    with_ancestors,
)


def test_ancestors_are_told_alike_for_bare_codes_and_for_those_of_events() -> None:
    for code in media_topics():
        expected = tuple(CODE_PREFIX + above for above in (code, *find_ancestors(code)))
        assert with_ancestors([CODE_PREFIX + code]) == expected
        assert is_media_topic(CODE_PREFIX + code)
        assert not is_media_topic(code)


def test_codes_stand_once_and_unknown_ones_as_they_are() -> None:
    child = next(topic for topic in media_topics().values() if topic.parent)
    codes = [CODE_PREFIX + child.code, "medtop:00000000", CODE_PREFIX + child.parent]
    assert with_ancestors(codes).count(CODE_PREFIX + child.parent) == 1
    assert with_ancestors(["medtop:00000000", ""]) == ("medtop:00000000",)


def test_names_are_found_in_every_language_and_small_letters() -> None:
    sport = media_topics()["15000000"]
    assert all(
        codes_by_name()[sport.name(tag).casefold()] == "15000000" for tag in ("en", "es", "zh", "pt-BR")
    )
    assert sport.name("de-AT") == sport.name("de")
    assert sport.name("xx") == sport.name("en")
