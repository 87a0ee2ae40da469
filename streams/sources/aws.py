"""What S3 and SQS have in common: a client of aiobotocore with the operator's keys, and its errors as faults."""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import AsyncExitStack
from typing import Any, Final, Protocol, TypeVar

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore import exceptions

from config.redaction import redact_secrets
from streams.sources.ports import SecretReader, SourceFault, SourceLimits

T = TypeVar("T")
REFUSED_CODES: Final = frozenset(
    {
        *(
            "AccessDenied",
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "ExpiredToken",
            "InvalidClientTokenId",
        ),
        *("AuthFailure", "UnrecognizedClientException", "403", "InvalidToken", "AccessDeniedException"),
    }
)
LATER_CODES: Final = frozenset({"SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded"})
MISSING_CODES: Final = frozenset({"NoSuchKey", "404", "NotFound"})


class AwsPlace(Protocol):
    """Where a service is: keys of the tables of both. Secrets: ``access_key`` and ``secret_key``, else those of the machine's role."""

    @property
    def region(self) -> str:
        """The region."""

    @property
    def endpoint(self) -> str:
        """The address of a compatible server, "" for the service's own."""


class MissingObject(Exception):
    """An object that is not there."""


class AwsClient:
    """One client of one service."""

    def __init__(self, service: str, options: AwsPlace, secrets: SecretReader, limits: SourceLimits) -> None:
        """Nothing is connected yet."""
        self._service, self._options, self._secrets, self._limits = service, options, secrets, limits
        self._stack = AsyncExitStack()
        self.client: Any = None

    async def open(self, connections: int) -> None:
        """Make the client; connections are made as they are needed."""
        names, limits = self._secrets.names(), self._limits
        keys = {}
        if "access_key" in names:
            keys["aws_access_key_id"] = self._secrets.read("access_key")
            keys["aws_secret_access_key"] = self._secrets.read("secret_key")
        config = AioConfig(
            connect_timeout=limits.connect_timeout_s, read_timeout=limits.read_timeout_s, max_pool_connections=connections,
            retries={"total_max_attempts": 1}, user_agent_extra="wiredesk",
        )  # fmt: skip
        self.client = await self._stack.enter_async_context(
            get_session().create_client(
                self._service, region_name=self._options.region, endpoint_url=self._options.endpoint or None, config=config,
                **keys,
            )
        )  # fmt: skip

    async def close(self) -> None:
        """Close the client."""
        await self._stack.aclose()


async def as_fault(call: Awaitable[T]) -> T:
    """What a call gives.

    Raises:
        MissingObject: what it names is not there.
        SourceFault: anything else went wrong.
    """
    try:
        return await call
    except exceptions.ClientError as error:
        raise _fault_of(error) from error
    except exceptions.NoCredentialsError as error:
        raise SourceFault("credentials", "no keys: add access_key and secret_key to `secrets`") from error
    except exceptions.SSLError as error:
        raise SourceFault("tls", _reason(error)) from error
    except (exceptions.ConnectTimeoutError, exceptions.ReadTimeoutError, TimeoutError) as error:
        raise SourceFault("timeout", "the server does not answer") from error
    except exceptions.HTTPClientError as error:
        raise SourceFault("connect", _reason(error)) from error
    except (exceptions.BotoCoreError, ValueError) as error:
        raise SourceFault("bad_response", _reason(error)) from error
    except OSError as error:
        raise SourceFault("connect", error.strerror or _reason(error)) from error


def _fault_of(error: Any) -> Exception:
    """What an answer of the service says is wrong."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in MISSING_CODES:
        return MissingObject()
    if code in REFUSED_CODES:
        return SourceFault("credentials", f"the server refuses our keys ({code})")
    if code in LATER_CODES or status == 429:
        return SourceFault("throttled", f"the server said {code}")
    return SourceFault("http_5xx" if status >= 500 else "http_4xx", f"the server said {code or status}")


def _reason(error: Exception) -> str:
    return redact_secrets(f"{type(error).__name__}: {error}")[:200]
