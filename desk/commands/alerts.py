"""`desk alerts`: what a person must see, as it was raised."""

import json
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from adapters.configuration import load_settings
from adapters.wiring import open_alert_log
from desk.answers import AsJson, as_mapping, print_json, print_table, say
from trading.errors import InvalidFieldError
from trading.ports.alerts import READ_MAX, AlertLog, RaisedAlert

SPAN = re.compile(r"(\d{1,6})([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
WAIT_S = 1.0
SHOWN = 50


def alerts(
    since: Annotated[
        str,
        typer.Option("--since", metavar="2h|TIME", help="A span back from now, or an ISO time with zone."),
    ] = "",
    last: Annotated[int, typer.Option("--last", min=1, max=READ_MAX, help="At most so many.")] = SHOWN,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the alerts of both levels, oldest first; with --follow each new one as it is raised.

    Examples:

        desk alerts --since 2h

        desk alerts --follow

        desk alerts --last 5 --json
    """
    log = open_alert_log(load_settings())
    found = log.newest(_moment(since, datetime.now(UTC)), last)
    if follow:
        _follow(log, found, as_json=as_json)
    elif as_json:
        print_json([_row(each) for each in found])
    elif found:
        rows = [(f"{each.at:%Y-%m-%d %H:%M:%S}", each.level.value, each.code, each.text) for each in found]
        print_table("", ("at (UTC)", "level", "code", "text"), rows)
    else:
        say("No alerts.")


def _follow(log: AlertLog, found: Sequence[RaisedAlert], *, as_json: bool) -> None:
    """One line each: a table has no end here."""
    known = {each.level: each for each in found}
    try:
        while True:
            for each in found:
                _print_line(each, as_json=as_json)
                known[each.level] = each
            found = log.after(list(known.values()), WAIT_S)
    except KeyboardInterrupt:
        return


def _print_line(each: RaisedAlert, *, as_json: bool) -> None:
    text = json.dumps(_row(each), ensure_ascii=False) if as_json else _line(each)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _line(each: RaisedAlert) -> str:
    return f"{each.at:%Y-%m-%d %H:%M:%S} {each.level} {each.code}: {each.text}"


def _row(each: RaisedAlert) -> dict[str, Any]:
    return {**as_mapping(each), "at": each.at.isoformat()}


def _moment(text: str, now: datetime) -> datetime | None:
    """Since when; None for no bound."""
    if not text:
        return None
    span = SPAN.fullmatch(text)
    if span:
        return now - timedelta(**{UNITS[span[2]]: int(span[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidFieldError(
            "--since", "a span like 30m or 2h, or an ISO time with its zone", text
        ) from error
    if moment.tzinfo is None:
        raise InvalidFieldError("--since", "a time with its zone, like 2026-11-20T14:30:00Z", text)
    return moment
