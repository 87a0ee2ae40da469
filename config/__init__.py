"""What an operator sets, and the data that the processors read.

The error of the operator's settings; it belongs to the tree drawn in `processors.errors`.
"""


class Misconfigured(Exception):
    """What the operator did wrong. Shown as one line; the command ends with status 2."""


def raise_fault(error: Misconfigured) -> None:
    """What readers of files do with a fault, unless somebody wants to hear of all of them (`wiredesk config check`)."""
    raise error
