"""Why a story goes to a route, and who gets stories posted, for the desk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from config.redaction import redact_secrets
from processors.model.event import Event
from sinks.desk.control import RouteExplanation, RouteVerdict, WebhookState
from sinks.routes.router import FOLLOWING_RELATIONS, Router, is_kill
from sinks.stories import lineage
from streams.webhooks.delivery import TargetClient
from streams.webhooks.targets import Target


class RouteDesk:
    """`sinks.desk.control.RouteControl` over the rules in force."""

    def __init__(self, router: Callable[[], Router]) -> None:
        """`router` gives the rules of this moment."""
        self._router = router

    def explain(self, event: Event) -> RouteExplanation:
        """Say of each rule whether the event fits it."""
        verdicts = (
            RouteVerdict(match.route, match.fits, tuple(match.reasons))
            for match in self._router().explain(event)
        )
        follows = is_kill(event) or lineage(event).relation in FOLLOWING_RELATIONS
        return RouteExplanation(event.story.uri, tuple(verdicts), follows, event.story.embargoed_until)


class WebhookDesk:
    """`sinks.desk.control.WebhookControl` over the targets of this process, or over those of others."""

    def __init__(
        self,
        targets: Callable[[], Sequence[Target]],
        count_waiting: Callable[[], Awaitable[Mapping[str, int]]],
        clients: Mapping[str, TargetClient] | None = None,
    ) -> None:
        """`clients` post here, by their targets' names; None where another process does."""
        self._targets, self._count_waiting, self._clients = targets, count_waiting, clients

    async def list(self) -> Sequence[WebhookState]:
        """Each target, in the order of the file."""
        waiting = await self._count_waiting()
        return [self._describe(target, waiting.get(target.name, 0)) for target in self._targets()]

    def _describe(self, target: Target, waiting: int) -> WebhookState:
        client = self._clients.get(target.name) if self._clients is not None else None
        return WebhookState(
            target.name,
            target.route,
            redact_secrets(target.url),
            waiting,
            None if client is None else "open" if client.is_open else "closed",
            None if client is None else client.failures,
            None if client is None or not client.last_error else redact_secrets(client.last_error),
        )
