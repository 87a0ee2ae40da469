"""What an operator sets, and the data that the processors read.

The error of the operator's settings; it belongs to the tree drawn in `processors.errors`.
"""


class Misconfigured(Exception):
    """What the operator did wrong. Shown as one line; the command ends with status 2."""


def install_hint(extra: str) -> str:
    """How an extra of ours comes to be installed: from our folder, as no index has wiredesk."""
    return f"from wiredesk's own folder: .venv/bin/pip install '.[{extra}]'"


def raise_fault(error: Misconfigured) -> None:
    """What readers of files do with a fault, unless somebody wants to hear of all of them (`wiredesk config check`)."""
    raise error
