"""The table of fields, the page that explains it, and the language itself say the same."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from sinks.query import FIELDS, RULES, QueryField, parse_query
from sinks.query.fields import FIELD_NAMES, STATES

PAGE = Path(__file__).parents[3] / "docs" / "searching.md"


def rule_rows() -> list[str]:
    return [f"| `{example}` | {meaning} |" for example, meaning in RULES]


def field_rows() -> list[str]:
    names = [", ".join(f"`{name}:`" for name in (field.name, *field.aliases)) for field in FIELDS]
    return [
        f"| {name} | {field.meaning} | `{field.example}` |" for name, field in zip(names, FIELDS, strict=True)
    ]


def state_rows() -> list[str]:
    return [f"| `is:{name}` | {meaning} |" for name, meaning in STATES.items()]


def test_the_page_has_the_rules_the_fields_and_the_states() -> None:
    """``python tests/sinks/query/test_fields.py`` writes them."""
    page = PAGE.read_text("utf-8")
    for rows in (rule_rows(), field_rows(), state_rows()):
        assert "\n".join(rows) in page


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_the_example_of_a_field_is_a_query_of_it(field: QueryField) -> None:
    assert field.example.startswith(f"{field.name}:")
    parse_query(field.example)
    for alias in field.aliases:
        assert parse_query(f"{alias}:{field.example.partition(':')[2]}") == parse_query(field.example)


@pytest.mark.parametrize("example", [example for example, _ in RULES])
def test_the_example_of_a_rule_is_a_query(example: str) -> None:
    parse_query(example)


def test_no_two_fields_have_a_name_in_common() -> None:
    assert len(FIELD_NAMES) == sum(1 + len(field.aliases) for field in FIELDS)


if __name__ == "__main__":
    text = PAGE.read_text("utf-8")
    for title, rows in (("Rules", rule_rows()), ("Fields", field_rows()), ("States", state_rows())):
        pattern = rf"(## {title}\n(?:[^\n]*\n)*?\|[-|]+\|\n)(?:\|[^\n]*\n)*"
        text = re.sub(pattern, lambda match, rows=rows: match[1] + "\n".join(rows) + "\n", text)  # type: ignore[misc]
    PAGE.write_text(text, "utf-8")
    sys.stdout.write(f"{PAGE}\n")
