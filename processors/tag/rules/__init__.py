"""The rules that put the recogniser's names right, one module a concern; `processors.tag.RULES` has their order.

A rule is a function of the story's `RuleContext` and the names so far; it returns the names after it, in order of the
text, none over another. Rules know nothing of each other: what one needs of an earlier one is what its names say.
"""
