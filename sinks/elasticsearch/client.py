"""The connection to Elasticsearch, and its errors in our terms."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from config import Misconfigured
from config.files import find_file
from config.settings import Elasticsearch
from processors.errors import Transient, Unreachable

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

ElasticJson = dict[str, Any]  # an object of a request or an answer
# Statuses that an operator or time can mend, so that nothing is lost by waiting: our key, a read-only index, a missing
# index, a slow or overloaded server.
WAITED_FOR_STATUSES: Final = frozenset({401, 403, 404, 408, 429})
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
    if settings.api_key:
        options["api_key"] = settings.api_key
    elif settings.username:
        options["basic_auth"] = (settings.username, settings.password)
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


@contextmanager
def translate_errors(url: str) -> Iterator[None]:
    """Turn what the world did wrong into `Transient`.

    A server that is down, full, overloaded, read-only or refuses our key is waited for: an operator can mend it, and
    nothing is lost meanwhile. Other answers (400) are left as they are: `elasticsearch.ApiError`.
    """
    from elasticsearch import ApiError, TransportError
    from elasticsearch.exceptions import UnsupportedProductError

    try:
        yield
    except UnsupportedProductError as error:
        raise Unreachable(f"{url}: not an Elasticsearch 8; set elasticsearch.url") from error
    except ApiError as error:
        if error.status_code in WAITED_FOR_STATUSES or error.status_code >= 500:
            raise Transient(
                f"{url}: {error.status_code} {error_reason(error.body)}{status_hint(error.status_code)}"
            ) from error
        raise
    except TransportError as error:
        raise Unreachable(f"{url}: {error.message}; start Elasticsearch, or set elasticsearch.url") from error


def status_hint(status: int) -> str:
    """What to do about a status."""
    return {
        401: "; check elasticsearch.api_key",
        403: "; the index is read-only, or the key may not write: see its blocks and the key's role",
        404: "; run `wiredesk index create`",
        429: "; the server is overloaded or its disk is full",
    }.get(status, "")


def error_reason(answer: Any) -> str:
    """The reason in an error of Elasticsearch, in one line."""
    error = answer.get("error", answer) if isinstance(answer, dict) else answer
    if not isinstance(error, dict):
        return str(error)[:MAX_REASON_CHARS]
    cause = error.get("caused_by")
    more = f": {cause['reason']}" if isinstance(cause, dict) and cause.get("reason") else ""
    return f"{error.get('type', 'error')}: {error.get('reason', '')}{more}"[:MAX_REASON_CHARS]
