"""``wiredesk token``: make, list and revoke the tokens that readers, programs and operators show the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from streams.commands.options import DATA_OPTION, TOKENS_OPTION, record_change, with_settings

if TYPE_CHECKING:
    from config.settings import Settings
    from sinks.desk.tokens import Scope


@click.group("token")
def command() -> None:
    """Tokens of the desk: who may read, who may also operate, and until when.

    A desk with a file of tokens asks everybody for one. What is revoked is refused from the next request on.

    \b
    Examples:
      wiredesk token create newsroom
      wiredesk token create night-shift --scope operate --expires 90d
      wiredesk token list
      wiredesk token revoke newsroom
    """


@command.command("create")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(["read", "operate"]),
    help="What it may: read, or operate, which also reads; may be given twice. [default: read]",
)
@click.option("--expires", default="1y", show_default=True, help="90d, 12w, 1y or never.")
@with_settings(TOKENS_OPTION, DATA_OPTION)
def create_token(settings: Settings, name: str, scopes: tuple[Scope, ...], expires: str) -> None:
    """Make a token and write it to standard output, once: only its hash is kept.

    \b
    Examples:
      wiredesk token create wall-screen --expires never
      wiredesk token create night-shift --scope operate > night-shift.token
    """
    from sinks.desk.tokens import MAX_NAME_CHARS, open_token_file, parse_expiry_days

    if not name.strip() or not name.isprintable() or len(name) > MAX_NAME_CHARS:
        raise click.BadParameter(f"a name has 1 to {MAX_NAME_CHARS} printable characters", param_hint="NAME")
    try:
        days = parse_expiry_days(expires)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--expires") from error
    chosen: set[Scope] = {"read", *scopes}
    token, secret = open_token_file(settings).create(name.strip(), sorted(chosen), days)
    click.echo(secret)
    record_change(
        settings,
        "create token",
        token.name,
        f"{' and '.join(token.scopes)}, until {token.expires or 'revoked'}",
    )
    click.echo(
        f"{token.name} may {' and '.join(token.scopes)}; it expires: {token.expires or 'never'}", err=True
    )


@command.command("list")
@with_settings(TOKENS_OPTION, DATA_OPTION)
def list_tokens(settings: Settings) -> None:
    """List tokens: id, name, scopes, when each was made, when it expires; tabs between them."""
    from datetime import UTC, datetime

    from sinks.desk.tokens import describe_expiry, open_token_file

    file = open_token_file(settings)
    tokens = file.list()
    for token in tokens:
        expiry = describe_expiry(token.expires, datetime.now(UTC))
        click.echo("\t".join((token.id, token.name, ",".join(token.scopes), token.created, expiry)))
    click.echo(f"{len(tokens)} tokens in {file.path}", err=True)


@command.command("revoke")
@click.argument("name", metavar="NAME|ID")
@with_settings(TOKENS_OPTION, DATA_OPTION)
def revoke_token(settings: Settings, name: str) -> None:
    """Forget a token: who shows it, or has signed in with it, is refused at once.

    The desk goes on to ask for tokens after the last is gone; delete the file and start again to open it.
    """
    from sinks.desk.tokens import open_token_file

    token = open_token_file(settings).revoke(name)
    click.echo(f"revoked {token.name}")
    record_change(settings, "revoke token", token.name, "revoked")
