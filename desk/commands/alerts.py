"""`desk alerts`: what a person must see, as it was raised: what is open, and all that ever was."""

import json
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from adapters.configuration import load_settings
from adapters.wiring_alerts import open_alert_log, open_alert_record
from desk.alerts_table import print_alerts
from desk.answers import AsJson, as_mapping, output, print_json, say
from trading.errors import InvalidFieldError
from trading.model.alerts import AlertKind
from trading.ports.alerts import READ_MAX, AlertLog, RaisedAlert

DAY = re.compile(r"\d{4}-\d\d-\d\d")
SPAN = re.compile(r"(\d{1,6})([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
WAIT_S = 1.0
SHOWN = 50
NOTICE = "feed_resolved-"  # says that another alert is over
EVENTS_SHOWN_FOR = timedelta(days=1)


def alerts(
    since: Annotated[
        str,
        typer.Option(
            "--since",
            metavar="2h|TIME|DAY",
            help="A span back from now, an ISO time with zone, or a day: from the warehouse.",
        ),
    ] = "",
    history: Annotated[bool, typer.Option("--history", help="All that were raised: the warehouse.")] = False,
    last: Annotated[int, typer.Option("--last", min=1, max=READ_MAX, help="At most so many.")] = SHOWN,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what is open and the events of the last day, oldest first; --follow: each as it is raised.

    A condition is open until it is found to hold no more; an event is said once. With --since what is over,
    too, and when that was. Redis keeps the newest; the warehouse has all of them, a few seconds later:
    --history, or a day.

    Examples:

        desk alerts

        desk alerts --since 2h

        desk alerts --since 2026-11-20

        desk alerts --history --last 200 --json

        desk alerts --follow
    """
    settings = load_settings()
    moment = moment_of(since, datetime.now(UTC))
    if history or DAY.fullmatch(since):
        _show(open_alert_record(settings).newest(moment, last), last, as_json=as_json)
        return
    log = open_alert_log(settings)
    if follow:
        _follow(log, log.newest(moment, last), as_json=as_json)
    elif since:
        _show(log.newest(moment, last), last, as_json=as_json)
    else:
        _show(_for_a_person(log), last, as_json=as_json)


def _for_a_person(log: AlertLog) -> Sequence[RaisedAlert]:
    """What goes on, however long it has, and what was said lately and has no end."""
    events = [
        each
        for each in log.newest(datetime.now(UTC) - EVENTS_SHOWN_FOR, READ_MAX)
        if each.kind is AlertKind.EVENT and not each.code.startswith(NOTICE)
    ]
    return sorted((*log.open(), *events), key=lambda each: (each.at, each.code))


def _show(found: Sequence[RaisedAlert], last: int, *, as_json: bool) -> None:
    shown = found[-last:]
    if as_json:
        print_json([_row(each) for each in shown])
    elif shown:
        print_alerts(output(), shown)
        if len(found) > last:
            say(f"{len(found) - last} older ones are not shown: --last")
    else:
        say("No alerts.")


def _second(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


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
    return f"{_second(each.at)} {each.level} {each.code}: {each.text}"


def _row(each: RaisedAlert) -> dict[str, Any]:
    moments = {"at": each.at, "market_at": each.market_at, "resolved_at": each.resolved_at}
    return {**as_mapping(each), **{name: at and at.isoformat() for name, at in moments.items()}}


def moment_of(text: str, now: datetime) -> datetime | None:
    """Since when; None for no bound."""
    if not text:
        return None
    span = SPAN.fullmatch(text)
    if span:
        return now - timedelta(**{UNITS[span[2]]: int(span[1])})
    try:
        moment = datetime.fromisoformat(f"{text}T00:00:00Z" if DAY.fullmatch(text) else text)
    except ValueError as error:
        raise InvalidFieldError(
            "--since", "a span like 30m or 2h, a day, or an ISO time with its zone", text
        ) from error
    if moment.tzinfo is None:
        raise InvalidFieldError("--since", "a time with its zone, like 2026-11-20T14:30:00Z", text)
    return moment
