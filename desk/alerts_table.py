"""Alerts as a person reads them: a table where there is room, else a block of lines for each.

A code and a text in narrow columns are cut to syllables: under NARROW columns each has lines of its own.
Keep out: which alerts are shown (`desk.commands.alerts`).
"""

from collections.abc import Sequence
from textwrap import wrap

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trading.model.alerts import AlertKind
from trading.ports.alerts import AlertLevel, RaisedAlert

NARROW = 150  # time, state, component and code leave fifty for the text
CODE_CHARS = 48  # a longer one goes on in the next line
INDENT = "    "


def print_alerts(console: Console, alerts: Sequence[RaisedAlert]) -> None:
    """Print them in order."""
    if console.width < NARROW:
        for each in alerts:
            console.print(Text("\n".join(block(each, console.width))), soft_wrap=True)
        return
    table = Table(header_style="bold", box=None, pad_edge=False)
    for name, width in (("at (UTC)", 19), ("state", 9), ("component", 14), ("code", CODE_CHARS)):
        table.add_column(name, max_width=width, overflow="fold")
    table.add_column("text", overflow="fold")
    for each in alerts:
        shown = (each.at.strftime("%Y-%m-%d %H:%M:%S"), state(each), each.component, each.code, words(each))
        table.add_row(*map(Text, shown))
    console.print(table)


def block(alert: RaisedAlert, width: int) -> list[str]:
    """The lines of one alert, none wider than the console."""
    head = f"{alert.at:%Y-%m-%d %H:%M:%S} {state(alert)} {alert.component}".rstrip()
    room = max(width - len(INDENT), 20)
    told = [*wrap(alert.code, room), *wrap(words(alert), room)]
    return [head[:width], *(INDENT + line for line in told)]


def state(alert: RaisedAlert) -> str:
    """How it stands: an event has no end; who must see it now is named first."""
    if alert.resolved_at is not None:
        return "over"
    if alert.level is AlertLevel.EMERGENCY:
        return "EMERGENCY"
    return "open" if alert.kind is AlertKind.CONDITION else "event"


def words(alert: RaisedAlert) -> str:
    """Its text, and what ended it."""
    if alert.resolved_at is None:
        return alert.text
    return f"{alert.text} [over {alert.resolved_at:%Y-%m-%d %H:%M:%S}: {alert.resolved_by}]"
