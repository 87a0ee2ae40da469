"""What of a message must not be shown.

Addresses of feeds, hubs, proxies and webhooks carry passwords and tokens, and exceptions of libraries repeat them. Every
message that leaves the process passes `redact_secrets`: log lines, pages and answers of the desk, what is remembered of
feeds, dead letters, lines of commands. Names that sound like secrets can't all be known, so of a query every value goes
but those of a few names that never hold one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

REDACTION_MARK: Final = "REDACTED"
# Names of parameters that say which feed is meant, and never who asks. A longer list shows more, and one day a secret.
HARMLESS_PARAMETERS: Final = frozenset(
    {
        "alt", "atom", "cat", "category", "count", "edition", "feed", "fmt", "format", "lang", "language", "limit", "locale",
        "max", "n", "output", "page", "rss", "section", "sort", "type",
    }
)  # fmt: skip
_HARMLESS_VALUE: Final = re.compile(r"[\w.+-]{0,32}", re.ASCII)
# An address up to a blank or a mark that no address has; a quote may be part of a secret.
_ADDRESS: Final = re.compile(r"(?<![A-Za-z0-9+.-])([A-Za-z][A-Za-z0-9+.-]{0,20}://)([^\s\"<>]+)")
_QUERY: Final = re.compile(r"([?&;#](?:amp;)?)([^=&;#?\s\"'<>]*)=([^&#\s\"<>]*)")
_CREDENTIALS: Final = re.compile(r"(?<![\w:/@.-])[^\s/:@\"'<>=()]{1,100}:[^\s/@\"'<>]{1,200}@(?=[\w\[])")
_SCHEME: Final = re.compile(r"\b(bearer|basic)(\s+)[\w.~+/=-]{6,}", re.IGNORECASE)
_HEADER: Final = re.compile(
    r"\b((?:proxy-)?authorization|cookie|set-cookie|x-api-key)([\"']?\s*[:=]\s*[\"']?)[^\s\"',][^\r\n\"',]*",
    re.IGNORECASE,
)
_PAIR: Final = re.compile(r"(?<![\w-])([\w-]{1,64})=([^\s&;,#\"'<>()]+)")
_SECRET_NAME: Final = re.compile(
    r"key$|token|secret|passw|passphrase|pwd$|^pw$|^pass$|auth|signature|credential|jwt|sessionid",
    re.IGNORECASE,
)
_SIGNING_KEY: Final = re.compile(r"\bwhsec_[\w+/=-]+")
_HINT: Final = re.compile(r"[=@?]|bearer|basic|cookie|authorization|api-key|whsec_", re.IGNORECASE)


def redact_secrets(text: str) -> str:
    """The text without user names and passwords of addresses, values of queries, and credentials of headers."""
    if not _HINT.search(text):
        return text
    text = _ADDRESS.sub(_cleaned_address, text)
    text = _HEADER.sub(rf"\1\2{REDACTION_MARK}", text)
    text = _SCHEME.sub(rf"\1\2{REDACTION_MARK}", text)
    text = _CREDENTIALS.sub(f"{REDACTION_MARK}@", text)
    text = _QUERY.sub(_cleaned_parameter, text)
    text = _PAIR.sub(_cleaned_pair, text)
    return _SIGNING_KEY.sub(f"whsec_{REDACTION_MARK}", text)


def holds_secret(url: str) -> bool:
    """Whether an address has user information, or a parameter whose name sounds like that of a secret.

    Less is taken for one than is hidden: addresses of feeds that are told apart by a parameter have to work.
    """
    host = re.split(r"[/?#\\]", url.partition("://")[2], maxsplit=1)[0]
    return "@" in host or any(_SECRET_NAME.search(match[2]) for match in _QUERY.finditer(url))


def redact_values(value: Any) -> Any:
    """A value of a log line, with every text in it redacted; what is no text, number or container becomes one."""
    if isinstance(value, str):
        return redact_secrets(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {redact_values(name): redact_values(member) for name, member in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact_values(member) for member in value]
    return redact_secrets(str(value))


def _cleaned_address(match: re.Match[str]) -> str:
    """An address without user information, and with what stands bare in its query."""
    scheme, rest = match[1], match[2]
    end = next((place for place, mark in enumerate(rest) if mark in "/?#\\"), len(rest))
    host = rest[:end]
    if "@" in host:
        rest = host.rpartition("@")[2] + rest[end:]
    elif "@" in rest and not _is_host(host):  # a password with a slash, which no address may have
        rest = rest.rpartition("@")[2]
    path, mark, query = rest.partition("?")
    if not mark:
        return scheme + rest
    query, mark_of_fragment, fragment = query.partition("#")
    parts = re.split(r"([&;])", query)
    shown = "".join(part if number % 2 else _bare_part(part) for number, part in enumerate(parts))
    return scheme + path + mark + shown + mark_of_fragment + fragment


def _bare_part(part: str) -> str:
    """A part of a query without a name: a word such as ``rss``, or else perhaps a key."""
    is_shown = "=" in part or not part or part.lower() in HARMLESS_PARAMETERS
    return part if is_shown else REDACTION_MARK


def _is_host(text: str) -> bool:
    """Whether a text is a host with or without a port."""
    name, mark, port = text.rpartition(":")
    return not mark or text.endswith("]") or (bool(name) and port.isdigit())


def _cleaned_parameter(match: re.Match[str]) -> str:
    separator, name, value = match[1], match[2], match[3]
    if name.lower() in HARMLESS_PARAMETERS and _HARMLESS_VALUE.fullmatch(value.rstrip("')")):
        return match[0]
    return f"{separator}{name}={REDACTION_MARK}" if value else match[0]


def _cleaned_pair(match: re.Match[str]) -> str:
    return f"{match[1]}={REDACTION_MARK}" if _SECRET_NAME.search(match[1]) else match[0]
