"""How `desk feeds` looks: one table worst first, cut to the terminal's height, and a few lines below it."""

from collections.abc import Mapping, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from desk.feeds_view import FeedsView, oldest_age_s
from trading.ports.feed_health import FeedHealth, FeedState

SAYS = "says"
COLUMNS = (
    ("state", "left"), ("source", "left"), ("feed", "left"), ("symbol", "left"), ("age", "right"),
    ("limit", "right"), ("rows/s", "right"), ("rows", "right"), ("refused", "right"), ("errors", "right"),
    ("reconnects", "right"), (SAYS, "left"),
)  # fmt: skip
STYLES = {
    FeedState.BROKEN: "bold red",
    FeedState.STALE: "red",
    FeedState.STARTING: "yellow",
    FeedState.RUNNING: "green",
    FeedState.ABSENT: "dim",
    FeedState.IDLE: "dim",
}
NARROW = 140  # columns of a terminal, below which the counters are left out
COUNTERS = frozenset({"rows", "refused", "errors", "reconnects"})
LINES_AROUND = 12  # of the terminal: title, head, what is below
ROWS_LEAST = 5
NEAR_LIMIT = 0.5
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400


class FeedsTable:
    """A look as something to print; `is_cut` keeps it within the terminal."""

    def __init__(self, view: FeedsView, *, is_cut: bool, trouble: str = "") -> None:
        self._view, self._is_cut, self._trouble = view, is_cut, trouble

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The table and the lines below it."""
        height = (options.max_height or console.height) - LINES_AROUND - len(self._view.plans)
        shown = self._view.feeds[: max(ROWS_LEAST, height)] if self._is_cut else self._view.feeds
        parts: list[RenderableType] = [_feeds(self._view, shown, is_narrow=options.max_width < NARROW)]
        if len(shown) < len(self._view.feeds):
            parts.append(Text(f"… and {len(self._view.feeds) - len(shown)} more", style="dim"))
        parts += [_residents(self._view), _outboxes(self._view), *_plans(self._view), *_lines(self._view)]
        if self._trouble:
            parts.append(Text(self._trouble, style="bold red"))
        yield Group(*parts)


def _feeds(view: FeedsView, shown: Sequence[FeedHealth], *, is_narrow: bool) -> Table:
    states = ", ".join(f"{count} {state.value}" for state, count in view.counts.items()) or "none"
    title = f"Feeds {view.at:%H:%M:%S} UTC: {states}"
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    places = [place for place, (name, _) in enumerate(COLUMNS) if not (is_narrow and name in COUNTERS)]
    for name, side in (COLUMNS[place] for place in places):
        gives_way = name == SAYS  # long words of one feed leave every other column whole
        table.add_column(name, justify="right" if side == "right" else "left", no_wrap=not gives_way)
    for feed in shown:
        cells = _cells(feed)
        table.add_row(*(cells[place] for place in places))
    return table


def _cells(feed: FeedHealth) -> Sequence[Text]:
    style = STYLES[feed.state]
    return (
        Text(feed.state.value, style=style),
        Text(feed.source),
        Text(feed.feed),
        Text(feed.symbol or "–"),
        Text(age_text(feed.age_s), style=_age_style(feed)),
        Text(age_text(feed.limit_s), style="dim"),
        Text(f"{feed.rows_per_s:.1f}"),
        Text(str(feed.rows)),
        Text(str(feed.refused), style="yellow" if feed.refused else "dim"),
        Text(str(feed.errors), style="yellow" if feed.errors else "dim"),
        Text(str(feed.reconnects), style="dim"),
        Text(feed.text, style="dim", overflow="ellipsis", no_wrap=True),
    )


def _age_style(feed: FeedHealth) -> str:
    if feed.state is FeedState.IDLE or feed.age_s is None or not feed.limit_s:
        return "dim"
    if feed.age_s > feed.limit_s:
        return "red"
    return "yellow" if feed.age_s > NEAR_LIMIT * feed.limit_s else "green"


def _residents(view: FeedsView) -> Text:
    line = Text("Residents: ")
    for name, age in view.beats.items():
        words = "does not say that it lives" if age is None else f"{age_text(age)} ago"
        line.append(f"{name} {words}  ", style="bold red" if age is None else "green")
    return line if view.beats else line.append("none run", style="dim")


def _outboxes(view: FeedsView) -> Text:
    line = Text("Outboxes: ")
    for name, backlog in view.outboxes.items():
        oldest = oldest_age_s(backlog, view.at)
        words = f"{name} {backlog.entries} waiting, {backlog.given} given out"
        line.append(words + (f", oldest {age_text(oldest)}  " if oldest is not None else "  "))
    return line


def _lines(view: FeedsView) -> Sequence[Text]:
    line = Text("Lines: ")
    line.append(", ".join(f"{each.kind} {each.wanted} of {each.allowed}" for each in view.lines))
    without = [name for each in view.lines for name in each.without]
    return [line, Text(f"No line for: {', '.join(without)}", style="yellow")] if without else [line]


def _plans(view: FeedsView) -> Sequence[Text]:
    """What of each vendor's plan is spent; 0 a day is no limit."""
    return [Text(f"Plan of {vendor}: {_plan_words(told)}") for vendor, told in view.plans.items()]


def _plan_words(told: Mapping[str, str]) -> str:
    a_day = told.get("limit_day", "0")
    words = [
        f"{told.get('requests_minute', '–')} of {told.get('limit_minute', '–')} requests this minute",
        f"{told.get('requests_day', '–')}{f' of {a_day}' if a_day != '0' else ''} this day",
        f"{told.get('breakers_open', '0')} breakers open",
    ]
    stretch = told.get("asked_less_often_by", "1.00")
    words += [f"asked {stretch} times less often than wished"] if stretch != "1.00" else []
    return ", ".join([*words, *([told["held"]] if told.get("held") else [])])


def age_text(seconds: float | None) -> str:
    """Short, at one look: 3.2s, 5m10s, 2h05m, 3d."""
    if seconds is None:
        return "–"
    if seconds < MINUTE_S:
        return f"{seconds:.1f}s" if seconds % 1 else f"{seconds:.0f}s"
    whole = int(seconds)
    if whole < HOUR_S:
        return f"{whole // MINUTE_S}m{whole % MINUTE_S:02}s"
    if whole < DAY_S:
        return f"{whole // HOUR_S}h{whole % HOUR_S // MINUTE_S:02}m"
    return f"{whole // DAY_S}d{whole % DAY_S // HOUR_S:02}h"
