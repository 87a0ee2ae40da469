"""Stories are kept by the month of their first creation, and stay there."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from processors.model.event import Event
from sinks.elasticsearch.inventory import index_name, parse_index_name, write_alias
from sinks.elasticsearch.months import OLDER_MONTH, month_of
from tests.sinks.elasticsearch.conftest import Stack
from tests.sinks.events import event

DAY: Final = 24 * 60
CASES: Final = (
    (None, "2026.01"),
    ("2025-12-31T23:59:59Z", "2025.12"),
    ("2026-01-01T00:30:00+01:00", "2025.12"),  # months are UTC's
    ("2024-01-15T00:00:00Z", "2024.01"),
    ("2023-12-31T00:00:00Z", OLDER_MONTH),
    ("1987-10-19T00:00:00Z", OLDER_MONTH),
    ("2031-05-01T00:00:00Z", "2026.01"),  # nobody creates a story after it came
    ("about noon", "2026.01"),
    ("0001-01-01T00:00:00Z", OLDER_MONTH),
)


def created(uri: str, first: str | None, **told: object) -> Event:
    made = event(uri, **told)  # type: ignore[arg-type]  # as `event` takes them
    return replace(made, story=replace(made.story, first_created=first))


@pytest.mark.parametrize(("first", "expected"), CASES)
def test_the_month_is_that_of_the_first_creation(first: str | None, expected: str) -> None:
    assert month_of(created("urn:a", first)) == expected


@given(st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"))
def test_any_time_has_a_month_and_a_name_that_can_be_taken_apart(first: str) -> None:
    alias = write_alias("wire-stories", month_of(created("urn:a", first)))
    assert parse_index_name(index_name(alias, 12)) == (alias, alias.removeprefix("wire-stories-"), 12)


@pytest.mark.elasticsearch
async def test_a_later_version_stays_in_the_month_of_the_first(stack: Stack) -> None:
    first = created("urn:a", "2025-12-31T22:00:00Z", version="1")
    second = event("urn:a", version="2", headline="Again", minute=DAY)
    for batch in ([first], [second], [first]):
        await stack.put(*batch)
    assert (await stack.client.count(index=stack.settings.index))["count"] == 1
    assert (await stack.client.count(index=f"{stack.settings.index}-2025.12"))["count"] == 1
    found = await stack.stories.get("urn:a")
    assert found is not None
    assert found.event == second


@pytest.mark.elasticsearch
async def test_a_writer_that_starts_anew_finds_what_the_last_one_wrote_a_moment_ago(stack: Stack) -> None:
    first = created("urn:a", "2025-12-31T22:00:00Z", version="1")
    await stack.bulk.write([first])  # not searchable yet
    await stack.bulk.open(None)
    await stack.put(event("urn:a", version="2", minute=DAY))
    assert (await stack.client.count(index=stack.settings.index))["count"] == 1


@pytest.mark.elasticsearch
async def test_a_kill_reaches_members_of_other_months(stack: Stack) -> None:
    await stack.put(created("urn:a", "2025-11-30T22:00:00Z"), event("urn:b", chain="urn:a", of="urn:a"))
    await stack.put(event("urn:k", relation="kill", chain="urn:a", of="urn:a", sequence=2, minute=1))
    assert (await stack.client.count(index=stack.settings.index))["count"] == 3
    for uri in ("urn:a", "urn:b"):
        found = await stack.stories.get(uri)
        assert found is not None
        assert found.hidden == "killed"
