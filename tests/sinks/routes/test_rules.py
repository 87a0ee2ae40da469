"""Reading the rules: what is wrong is named by its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import Misconfigured
from config.files import CONFIG_FOLDER
from sinks.query import parse_query
from sinks.routes.rules import read_rules


def written(folder: Path, text: str) -> Path:
    path = folder / "routes.toml"
    path.write_text(text, "utf-8")
    return path


def test_the_bundled_rules_are_right() -> None:
    assert {rule.name for rule in read_rules(CONFIG_FOLDER / "routes.toml")} == {
        "urgent",
        "economy",
        "disasters",
    }


def test_a_rule_has_all_its_conditions(tmp_path: Path) -> None:
    text = '[routes.ports]\nentities = ["Inés Okafor"]\nwords = ["dry dock", "ferr*"]\nurgency = 3\nlanguages = ["pt-BR"]\n'
    (rule,) = read_rules(written(tmp_path, text))
    assert rule.topic == "wire.out.ports.v1"
    assert rule.conditions == {"entity": frozenset(["ines okafor"]), "language": frozenset(["pt-BR"])}
    assert [(term.words, term.prefix) for term in rule.words] == [(("dry", "dock"), False), (("ferr",), True)]
    assert rule.urgency == 3


def test_a_rule_has_a_query_beside_its_lists(tmp_path: Path) -> None:
    text = '[routes.ports]\nurgency = 3\nquery = "(ferry OR boat) -topic:sport"\n'
    (rule,) = read_rules(written(tmp_path, text))
    assert rule.query == parse_query("(ferry OR boat) -topic:sport")
    assert (rule.urgency, rule.query_text) == (3, "(ferry OR boat) -topic:sport")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ('topics = ["medtop:99999999"]', "medtop:99999999"),
        ('topics = "medtop:04000000"', "list of strings"),
        ('countries = ["nl"]', "ISO 3166"),
        ('languages = ["english language"]', "tags such as"),
        ('languages = ["xq"]', "'xq' is unknown"),
        ('relations = ["change"]', "update"),
        ("urgency = 0", "1 (flash) to 9"),
        ("urgency = true", "1 (flash) to 9"),
        ('min_sources = "3"', "how many sources"),
        ("min_novelty = 2", "from 0 to 1"),
        ('words = ["*"]', "neither letter nor digit"),
        ('topic = ["medtop:04000000"]', "did you mean topics?"),
        ("feeds = []", "feeds is empty"),
        ("words = []", "words is empty"),
        ('words = ["fer*y"]', "only at the end"),
        ('words = ["*ferry"]', "only at the end"),
        ('countries = ["NL", "XX"]', "'XX' is unknown"),
        ('query = "ferry headlin:x"', "there is no field 'headlin' (at 7); did you mean headline:?"),
        ('query = "(ferry OR boat"', "not closed"),
        ('query = " "', "query is what is searched"),
        ('query = ["ferry"]', "query is what is searched"),
        ("", "every story"),
    ],
)
def test_a_wrong_rule_is_named_by_its_line(tmp_path: Path, wrong: str, told: str) -> None:
    text = f'[routes.right]\nfeeds = ["nda"]\n\n[routes.wrong]\n# compact, words, urgency, topics\n{wrong}\n'
    with pytest.raises(Misconfigured) as caught:
        read_rules(written(tmp_path, text))
    assert f"routes.toml:{6 if wrong else 4}: wrong" in str(caught.value)
    assert told in str(caught.value)


def test_a_wrong_value_is_named_by_its_own_line(tmp_path: Path) -> None:
    text = '[routes.wrong]\nurgency = 2\ntopics = [\n  "medtop:04000000",\n  "medtop:99999999",\n]\n[routes.next]\nfeeds=["x"]\n'
    with pytest.raises(Misconfigured, match=r"routes\.toml:5: wrong: topics: 'medtop:99999999'"):
        read_rules(written(tmp_path, text))


def test_a_rule_that_is_only_compact_has_no_condition(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="every story"):
        read_rules(written(tmp_path, "[routes.all]\ncompact = true\n"))
    with pytest.raises(Misconfigured, match=r":3: all: compact is true or false"):
        read_rules(written(tmp_path, '[routes.all]\nurgency = 1\ncompact = "yes"\n'))


@pytest.mark.parametrize(
    "text", ["[routes.A]\nfeeds=['x']", "[rules.a]\nfeeds=['x']", "routes = 5", "[routes.a"]
)
def test_what_is_no_set_of_rules_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Misconfigured, match=r"routes\.toml"):
        read_rules(written(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="nothing"):
        read_rules(tmp_path / "nothing.toml")
