"""How every command answers: a table or lines for people, one JSON document with `--json`; progress goes to
stderr, as a bar or, where nobody watches, as lines.

Belongs here: printing and exit codes. Keep out: what is printed.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

CENT = Decimal("0.01")
PIPE_COLUMNS = 200
LINE_EVERY_S = 10.0  # of one thing that goes on: a log of ten minutes stays a page


class ExitCode(IntEnum):
    """What the caller's shell is told."""

    DONE = 0
    FINDINGS = 1  # an unexpected open break, a rejected row
    NOT_POSSIBLE = 2  # wrong use, or a service is missing


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]

# what is being done, how much of it is done, out of how many
Advance = Callable[[str, int, int | None], None]


def say(text: str) -> None:
    """A line for people."""
    output().print(text, markup=False, highlight=False, soft_wrap=True)


def print_json(content: object) -> None:
    """One JSON object on one line: the last line of stdout."""
    sys.stdout.write(json.dumps(content, default=_plain, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def print_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[str] = ()
) -> None:
    """A table; None is shown as a dash, the columns named in `right` are aligned to the right."""
    table = Table(title=title or None, title_justify="left", title_style="bold", header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text("–" if value is None else _plain_text(value)) for value in row))
    output().print(table)


def money_text(amount: Decimal | None) -> str | None:
    """Money to the cent, for people only; None stays None."""
    return None if amount is None else f"{amount.quantize(CENT, ROUND_HALF_EVEN):,}"


def complain(text: str) -> None:
    """A line about what went wrong, on stderr."""
    Console(stderr=True).print(text, markup=False, highlight=False, soft_wrap=True, style="red")


def finish(code: ExitCode) -> None:
    """End the command with a code."""
    raise typer.Exit(int(code))


@contextmanager
def progress(*, takes_minutes: bool = False) -> Iterator[Advance]:
    """A progress bar on stderr. In a pipe or a file nothing, for a scheduler mails what stands there; of what
    takes minutes a line for each thing that is done, and now and then.
    """
    console = Console(stderr=True)
    if takes_minutes and not console.is_terminal:
        yield ProgressLines(sys.stderr)
        return
    bar = Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal,
    )  # fmt: skip
    with bar:
        task = bar.add_task("", total=None)

        def advance(what: str, done: int, total: int | None) -> None:
            bar.update(task, description=what, completed=done, total=total)

        yield advance


class ProgressLines:
    """Progress for a log: a line when another thing begins, and every LINE_EVERY_S of one that goes on.

    What comes before a colon names the thing.
    """

    def __init__(self, out: TextIO, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._out, self._monotonic = out, monotonic
        self._began, self._told_at = monotonic(), 0.0
        self._thing, self._line = "", ""

    def __call__(self, what: str, done: int, total: int | None) -> None:
        """Tell what is being done, where that is new."""
        line = what if total is None else f"{what} {done}/{total}"
        thing, now = what.partition(":")[0], self._monotonic()
        goes_on = thing == self._thing and now - self._told_at < LINE_EVERY_S
        if goes_on or line == self._line:
            return
        self._thing, self._line, self._told_at = thing, line, now
        self._out.write(f"{now - self._began:5.0f} s  {line}\n")
        self._out.flush()


def as_mapping(row: Any) -> Mapping[str, Any]:
    """The fields of a dataclass with slots, by name, in order."""
    return {name: getattr(row, name) for name in row.__dataclass_fields__}


def output() -> Console:
    """Where answers for people go: as wide as the terminal, and wide in a pipe."""
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else PIPE_COLUMNS)


def _plain_text(value: object) -> str:
    plain = _plain(value) if not isinstance(value, str | int | float) else value
    return str(plain)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "__dataclass_fields__"):
        return as_mapping(value)
    return str(value)
