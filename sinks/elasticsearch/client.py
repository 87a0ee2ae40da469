"""The connection to Elasticsearch, and its errors in our terms."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson
from msgspec import structs

from config import Misconfigured
from config.files import find_file
from config.reader import read_secret_file
from config.settings import Elasticsearch
from processors.errors import Transient, Unreachable
from sinks.answers import AnswerRow, RequestSubject, find_answer

if TYPE_CHECKING:
    from elasticsearch import ApiError, AsyncElasticsearch

ElasticJson = dict[str, Any]  # an object of a request or an answer
# How long a refused user or key is tried again before the command ends. Less ends it while a cluster that has just
# started has not read its own users; more leaves an operator without a word in the exit status.
LOGIN_PATIENCE_S: Final = 20.0
MAX_REASON_CHARS: Final = 500  # of an error in one line; longer ones repeat the document that was refused


def connect(settings: Elasticsearch) -> AsyncElasticsearch:
    """A client. It does not connect before its first request, and leaves waiting and trying again to its caller.

    Raises:
        Misconfigured: the certificates of ``elasticsearch.ca_file`` can't be read.
    """
    from elasticsearch import AsyncElasticsearch

    options: dict[str, Any] = {
        "request_timeout": settings.timeout_s,
        "max_retries": 0,
        "http_compress": False,
    }
    options |= _login(settings)
    if settings.ca_file:
        options["ca_certs"] = _check_authorities(find_file(settings.ca_file))
    return AsyncElasticsearch(settings.url, **options)


def _check_authorities(path: Path) -> str:
    """The path of a file of certificates that can be read."""
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError as error:
        raise Misconfigured(f"elasticsearch.ca_file: {path}: no certificates (PEM) in it") from error
    except OSError as error:
        raise Misconfigured(f"elasticsearch.ca_file: {path}: {error.strerror}") from error
    return str(path)


class IndexConnection:
    """A client that logs in anew where its user or key is refused and the secret's file says something else now."""

    def __init__(self, settings: Elasticsearch, client: AsyncElasticsearch | None = None) -> None:
        """Nothing is sent."""
        self.settings = settings
        self.client = client or connect(settings)
        self._refused_at: float | None = None

    def log_in_again(self) -> bool:
        """Take the secrets from their files again, and say whether they are others now.

        Raises:
            Misconfigured: a file can't be read.
        """
        secrets = {
            name: value
            for name in ("api_key", "password")
            if (value := read_secret_file(f"elasticsearch.{name}", os.environ)) is not None
            and value != getattr(self.settings, name)
        }
        if not secrets:
            return False
        self.settings = structs.replace(self.settings, **secrets)
        self.client = self.client.options(**_login(self.settings))
        self._refused_at = None
        return True

    def note_success(self) -> None:
        """The server has taken our user or key."""
        self._refused_at = None

    def check_patience(self, refusal: LoginRefused, now: float) -> None:
        """Return while a refused user or key may still be right.

        Raises:
            Misconfigured: it was refused for so long that an operator must look.
        """
        if self._refused_at is None:
            self._refused_at = now
        if now - self._refused_at >= LOGIN_PATIENCE_S:
            raise Misconfigured(str(refusal)) from refusal


class LoginRefused(Transient):
    """The server refuses our user, password or key."""


@contextmanager
def translate_errors(url: str) -> Iterator[None]:
    """Turn what the server answers into `Transient`, in its words and ours, as `sinks.answers` says.

    Nothing is lost meanwhile, and nothing ends the process: an operator, time or we can mend it. What concerns one
    document or month only never comes here: the writer looks at it first.
    """
    from elasticsearch import ApiError, TransportError
    from elasticsearch.exceptions import UnsupportedProductError

    try:
        yield
    except UnsupportedProductError as error:
        raise Unreachable(f"{url}: not an Elasticsearch 8; set elasticsearch.url") from error
    except ApiError as error:
        row = row_of(error, "index")
        text = describe_answer(row, url, f"{error.status_code} {error_reason(error.body)}")
        raise (LoginRefused if row.fault == "credentials" else Transient)(f"{url}: {text}") from error
    except TransportError as error:
        raise Unreachable(f"{url}: {error.message}; start Elasticsearch, or set elasticsearch.url") from error


async def send_documents(client: AsyncElasticsearch, index: str, lines: Sequence[Any]) -> None:
    """Write documents in one request; `lines` are its actions, each with its document. Later versions that are there stay.

    Raises:
        Transient: the server refuses one of them.
    """
    answer = await client.bulk(index=index, operations=lines, filter_path=["items.*.status", "items.*.error"])
    for item in answer["items"]:
        (answered,) = item.values()
        if answered["status"] >= 300 and answered["status"] != 409:
            raise Transient(f"{index}: {error_reason(answered)}; nothing was deleted")


def row_of(error: ApiError, subject: RequestSubject, document_bytes: int = 0) -> AnswerRow:
    """The row of the table of answers for a request that was refused as a whole."""
    cause = error.body.get("error", {}) if isinstance(error.body, dict) else {}
    kind = cause.get("type", "") if isinstance(cause, dict) else ""
    return find_answer("index", error.status_code, kind, error_reason(error.body), subject, document_bytes)


def describe_answer(row: AnswerRow, part: str, reason: str) -> str:
    """What happened and what mends it, in one line."""
    return f"{reason}: {row.remedy.format(part=part)}" if row.remedy else reason


def error_reason(answer: Any) -> str:
    """The reason in an error of Elasticsearch, in one line, with the index where it has one."""
    error = answer.get("error", answer) if isinstance(answer, dict) else answer
    if not isinstance(error, dict):
        return str(error)[:MAX_REASON_CHARS]
    cause = error.get("caused_by")
    more = f": {cause['reason']}" if isinstance(cause, dict) and cause.get("reason") else ""
    text = f"{error.get('type', 'error')}: {error.get('reason', '')}{more}"
    index = error.get("index")
    named = f" [{index}]" if index and index not in text else ""
    return f"{text[: MAX_REASON_CHARS - len(named)]}{named}"


def _login(settings: Elasticsearch) -> dict[str, Any]:
    if settings.api_key:
        return {"api_key": settings.api_key}
    return {"basic_auth": (settings.username, settings.password)} if settings.username else {}


@dataclass(frozen=True, slots=True)
class BulkEntry:
    """A line pair of a bulk request, ready to be sent."""

    id: str
    alias: str  # of its month; empty for a mark
    action: bytes
    source: bytes

    @property
    def size(self) -> int:
        """Its bytes on the wire."""
        return len(self.action) + len(self.source) + 2


def make_bulk_entry(
    index: str, id_: str, version: int, source: dict[str, Any], *, alias: bool = True
) -> BulkEntry:
    """The entry that writes a document under an external version; to an index by its name without `alias`."""
    action = {
        "_index": index,
        "_id": id_,
        "version": version,
        "version_type": "external_gte",
        "require_alias": alias,
    }
    return BulkEntry(id_, index if alias else "", orjson.dumps({"index": action}), orjson.dumps(source))


def split_batches(entries: Sequence[BulkEntry], max_count: int, max_bytes: int) -> Iterable[list[BulkEntry]]:
    """Entries in requests of bounded count and size; an entry over the size stands alone."""
    batch: list[BulkEntry] = []
    total = 0
    for entry in entries:
        if batch and (len(batch) >= max_count or total + entry.size > max_bytes):
            yield batch
            batch, total = [], 0
        batch.append(entry)
        total += entry.size
    if batch:
        yield batch
