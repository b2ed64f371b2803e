"""`desk env`: the addresses of the running stack as shell lines."""

import shlex
from typing import Annotated

import typer

from adapters.configuration import load_settings
from desk.answers import AsJson, ExitCode, complain, finish, print_json, say

MASK = "***"


def env(
    as_json: AsJson = False,
    show_passwords: Annotated[
        bool, typer.Option("--passwords/--no-passwords", help="Print credentials in clear text.")
    ] = True,
) -> None:
    """Print export lines with the addresses of warehouse, Redis and Dagster.

    Examples:

        eval "$(desk env)" && curl "$CLICKHOUSE_READER_URL" --data-binary 'select 1'

        desk env --no-passwords
    """
    settings = load_settings()
    services = settings.services
    values = {
        "DESK_HOME": str(settings.paths.home),
        "CLICKHOUSE_URL": services.warehouse_url,
        "CLICKHOUSE_READER_URL": services.warehouse_reader_url,
        "REDIS_URL": services.redis_url,
        "DAGSTER_URL": services.dagster_url,
    }
    shown = {name: value if show_passwords else _masked(value) for name, value in values.items()}
    if as_json:
        print_json(shown)
    else:
        for name, value in shown.items():
            if value is not None:
                say(f"export {name}={shlex.quote(value)}")
    missing = [name for name, value in values.items() if value is None]
    if missing:
        complain(f"not known: {', '.join(missing)}. Start the stack with `desk up`, or set them.")
    finish(ExitCode.NOT_POSSIBLE if missing else ExitCode.DONE)


def _masked(url: str | None) -> str | None:
    if url is None or "@" not in url:
        return url
    scheme, _, rest = url.partition("://")
    credentials, _, address = rest.rpartition("@")
    return f"{scheme}://{credentials.partition(':')[0]}:{MASK}@{address}"
