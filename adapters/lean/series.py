"""One instrument's rows of one file on their way to typed rows: its hours, its clock, and what is left out.

Two things are never silent: a line that cannot be read, or says something else of a moment than the line
before it, is a refusal of its own; lines that a rule leaves out (marked suspicious, outside the session, the
same line again) are one refusal for each rule, with their number and the first of them. So the lines of a
file are always the sum of what is told. Lines that are out of their order are brought into it.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TypeGuard

from adapters.lean.archives import NumberedLine
from adapters.lean.values import MILLISECOND
from trading.errors import InvalidFieldError
from trading.model.market import MarketRow, RefusedRow
from trading.ports.market_history import CANNOT_BE_READ

FEED = "lean"
PAYLOAD_CHARS_MAX = 200
REFUSED_LINES_MAX = 1_000  # of one member; from there on they are counted only
OUTSIDE = "outside the session"
SUSPICIOUS = "marked suspicious by its source"
TWICE = "told twice"
UNREADABLE = "unreadable, like the lines named before"
FIELD_OF = {OUTSIDE: "ms", SUSPICIOUS: "suspicious", TWICE: "line", UNREADABLE: "line"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where lines come from, as a person finds them again."""

    folder: Path
    path: Path
    member: str = ""

    def payload(self, line: int, text: str) -> str:
        """File, member, line and the line as it came."""
        told = {"file": self.path.relative_to(self.folder).as_posix()}
        if self.member:
            told["member"] = self.member
        if line:
            told |= {"line": str(line), "text": text[:PAYLOAD_CHARS_MAX]}
        return json.dumps(told, ensure_ascii=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """The file's midnight in UTC, and the instrument's session in milliseconds from it, the end excluded."""

    midnight: datetime
    open_ms: int
    close_ms: int

    @classmethod
    def between(cls, midnight: datetime, opens: datetime, closes: datetime) -> "Hours":
        """Hours from moments."""
        return cls(
            midnight=midnight,
            open_ms=(opens - midnight) // MILLISECOND,
            close_ms=(closes - midnight) // MILLISECOND,
        )

    def at(self, ms: float) -> datetime:
        """The moment in UTC."""
        return self.midnight + timedelta(milliseconds=ms)

    def last_of(self, ms: float, length_ms: int) -> datetime:
        """The last millisecond of what begins at `ms`, within the session: when its closing quote stood."""
        return self.midnight + timedelta(milliseconds=min(ms + length_ms, self.close_ms) - 1)

    def touches(self, ms: float, length_ms: int) -> bool:
        """Whether any part of what begins at `ms` lies in the session."""
        return ms < self.close_ms and ms + length_ms > self.open_ms


@dataclass(slots=True)
class Left:
    """Lines that one rule left out: how many, and the first."""

    rows: int
    line: int
    text: str


@dataclass(slots=True, kw_only=True)
class Series:
    """One instrument of one file."""

    symbol: str
    instrument_id: str
    origin: Origin
    hours: Hours
    _left: dict[str, Left] = field(default_factory=dict)
    _refused: int = 0

    def leave_out(self, rule: str, line: NumberedLine) -> None:
        """Count a line that a rule leaves out."""
        left = self._left.get(rule)
        if left is None:
            self._left[rule] = Left(1, *line)
        else:
            left.rows += 1

    def refuse(self, error: InvalidFieldError, line: NumberedLine) -> Iterator[RefusedRow]:
        """Refuse a line that cannot be read; after a thousand of a member only their number is told."""
        self._refused += 1
        if self._refused > REFUSED_LINES_MAX:
            self.leave_out(UNREADABLE, line)
            return
        yield refusal(self.symbol, self.hours.midnight, error, self.origin, *line)

    def left_out(self) -> Iterator[RefusedRow]:
        """What the rules left out, one row for each rule."""
        for rule, left in self._left.items():
            yield RefusedRow(
                symbol=self.symbol,
                feed=FEED,
                at=self.hours.midnight,
                field=FIELD_OF[rule],
                reason=f"{rule}: {self.instrument_id}",
                payload=self.origin.payload(left.line, left.text),
                rows=left.rows,
            )


def refusal(
    symbol: str, at: datetime, error: InvalidFieldError, origin: Origin, line: int = 0, text: str = ""
) -> RefusedRow:
    """One line, member or file that cannot be read."""
    return RefusedRow(
        symbol=symbol,
        feed=FEED,
        at=at,
        field=error.field,
        reason=str(error),
        payload=origin.payload(line, text),
    )


def broken(symbol: str, at: datetime, error: InvalidFieldError, origin: Origin) -> RefusedRow:
    """A file or a member that cannot be read, wholly or from some line on: whoever loads it fails with it."""
    told = refusal(symbol, at, error, origin)
    name = f"{origin.path.name} {origin.member}".strip()
    return replace(told, reason=f"{CANNOT_BE_READ}: {name}: {error}")


def is_broken(row: MarketRow) -> TypeGuard[RefusedRow]:
    """Whether it says that a file or a member cannot be read."""
    return isinstance(row, RefusedRow) and row.reason.startswith(CANNOT_BE_READ)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How lines of one layout become rows; `is_flagged`: the last field says whether a line is suspicious.

    `read_ms` gives None for a line of another day. `make` sees every line in turn, also before the opening.
    """

    fields: int
    length_ms: int
    read_ms: Callable[[str], float | None]
    make: Callable[[Sequence[str], float], MarketRow]
    is_flagged: bool = False

    @property
    def is_tape(self) -> bool:
        """Whether two lines of one moment are two events."""
        return self.is_flagged


def session_rows(
    series: Series, open_lines: Callable[[], Iterable[NumberedLine]], form: Form
) -> Iterator[MarketRow]:
    """Rows of the session in the order of their time; then what was left out."""
    last: float | None = None
    last_text = ""
    for line in in_order(open_lines, form):
        try:
            fields = line[1].split(",")
            if len(fields) != form.fields:
                raise InvalidFieldError("line", f"{form.fields} fields", len(fields))
            ms = form.read_ms(fields[0])
            if ms is None:
                continue
            if not form.is_tape and ms == last:
                if line[1] != last_text:
                    raise InvalidFieldError("ms", "a moment once, or the same line again", fields[0])
                series.leave_out(TWICE, line)
                continue
            if form.is_flagged and _is_suspicious(fields[-1]):
                series.leave_out(SUSPICIOUS, line)
                continue
            row = form.make(fields, ms)
        except InvalidFieldError as error:
            yield from series.refuse(error, line)
            continue
        last, last_text = ms, line[1]
        if series.hours.touches(ms, form.length_ms):
            yield row
        else:
            series.leave_out(OUTSIDE, line)
    yield from series.left_out()


def in_order(open_lines: Callable[[], Iterable[NumberedLine]], form: Form) -> Iterable[NumberedLine]:
    """The lines in the order of their moments, those of one moment as they stand.

    Files are in order, but for a few. So a tape, which may be long, is looked through first, and held only
    where it must be sorted; all others are short.
    """
    if form.is_tape:
        moments = (_moment(text, form) for _, text in open_lines())
        if all(before <= after for before, after in pairwise(m for m in moments if m is not None)):
            return open_lines()
    lines = list(open_lines())
    keys: list[float] = []
    for _, text in lines:  # what has no moment stays behind the line before
        moment = _moment(text, form)
        keys.append(moment if moment is not None else keys[-1] if keys else 0.0)
    return [lines[place] for place in sorted(range(len(lines)), key=keys.__getitem__)]


def _moment(text: str, form: Form) -> float | None:
    try:
        return form.read_ms(text.partition(",")[0])
    except InvalidFieldError:
        return None


def _is_suspicious(flag: str) -> bool:
    if flag not in ("0", "1"):
        raise InvalidFieldError("suspicious", "0 or 1", flag)
    return flag == "1"
