"""TIMEX3 expressions (ISO-TimeML): which words tell a time, and which calendar value they have.

`lexicon` reads a language's words and rules from ``config/lexicon/dates-<language>.toml``; `grammar` finds the
expressions; `tense` tells whether a clause speaks of the past or the future; `resolution` gives the values,
which `calendar` computes. `processors.tag.dates` puts them together for an event.
"""
