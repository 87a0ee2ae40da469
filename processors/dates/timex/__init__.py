"""TIMEX3 expressions (ISO-TimeML): which words tell a time, and which calendar value they have.

A language's words and rules are those of `config.lexicon.Dates`; `grammar` finds the expressions; `tense` tells whether a clause speaks of the past or the future; `resolution` gives the values,
which `calendar` computes. `processors.tag.dates` puts them together for an event.

What exists was measured first, on the 489 dates of TempEval-3's AQUAINT part: `dateparser` 1.5.0 (``search_dates``)
finds .745 of them (F1, any overlap) and has .366 right to the value, at 18 ms for 300 words; it knows no weeks, seasons,
quarters or partial dates. These rules: .941 and .821, at a millisecond. HeidelTime's published value F1 on TempEval-3 is
.776; it needs a JVM.
"""
