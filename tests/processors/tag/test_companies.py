"""What the words beside a name say it is."""

from __future__ import annotations

import pytest

from processors.model.event import Event, Label
from processors.model.story import Story
from processors.tag.copy import Copy, NameSpan
from processors.tag.phrase_search import CopyWords
from processors.tag.rules import RuleContext
from processors.tag.rules.organisations import label_companies


def label(text: str, name: str, before: Label) -> Label:
    copy = Copy.of(Event(Story("u"), text=text), 10_000)
    start = copy.read.index(name)
    context = RuleContext(copy, CopyWords.of(copy.read), None, is_sport=False)
    return label_companies(context, [NameSpan(start, start + len(name), before)])[0].label


@pytest.mark.parametrize(
    ("text", "name", "before", "after"),
    [
        ("The bid for Tarnhill failed.", "Tarnhill", "MISC", "ORG"),
        ("Turbine maker Tarnhill cut jobs.", "Tarnhill", "MISC", "ORG"),
        ("Tarnhill said it would cut jobs.", "Tarnhill", "MISC", "ORG"),
        ("Tarnhill’s share price fell.", "Tarnhill", "MISC", "ORG"),
        ("Shares of Osric Vane fell.", "Osric Vane", "PER", "ORG"),
        ("They watched Tarnhill on Sunday.", "Tarnhill", "MISC", "MISC"),
        ("Osric Vane said he would go.", "Osric Vane", "PER", "PER"),
        ("Analysts at Tarn Vale said so.", "Tarn Vale", "LOC", "LOC"),
        ("Norwegian workers went on strike.", "Norwegian", "MISC", "MISC"),
        ("Retailer Peter Vane spoke.", "Peter Vane", "PER", "PER"),
    ],
)
def test_a_name_is_a_company_where_the_words_beside_it_say_so(
    text: str, name: str, before: Label, after: Label
) -> None:
    assert label(text, name, before) == after
