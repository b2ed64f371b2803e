"""One instrument's rows of one file on their way to typed rows: its hours, its clock, and what is left out.

Three things are never silent: a line that cannot be read is a refusal of its own; lines that a rule leaves
out (marked suspicious, outside the session, earlier than the line before) are one refusal for each rule, with
their number and the first of them. So the lines of a file are always the sum of what is told.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from adapters.lean.archives import NumberedLine
from adapters.lean.values import MILLISECOND
from trading.errors import InvalidFieldError
from trading.model.market import MarketRow, RefusedRow

FEED = "lean"
PAYLOAD_CHARS_MAX = 200
REFUSED_LINES_MAX = 1_000  # of one member; from there on they are counted only
OUTSIDE = "outside the session"
SUSPICIOUS = "marked suspicious by its source"
BACKWARDS = "earlier than the line before"
TWICE = "told twice"
UNREADABLE = "unreadable, like the lines named before"
FIELD_OF = {OUTSIDE: "ms", SUSPICIOUS: "suspicious", BACKWARDS: "ms", TWICE: "line", UNREADABLE: "line"}


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

    def at(self, ms: int) -> datetime:
        """The moment in UTC."""
        return self.midnight + timedelta(milliseconds=ms)

    def last_of(self, ms: int, length_ms: int) -> datetime:
        """The last millisecond of what begins at `ms`, within the session: when its closing quote stood."""
        return self.midnight + timedelta(milliseconds=min(ms + length_ms, self.close_ms) - 1)

    def touches(self, ms: int, length_ms: int) -> bool:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How lines of one layout become rows; `is_flagged`: the last field says whether a line is suspicious.

    `read_ms` gives None for a line of another day. `make` sees every line in turn, also before the opening.
    """

    fields: int
    length_ms: int
    read_ms: Callable[[str], int | None]
    make: Callable[[Sequence[str], int], MarketRow]
    is_flagged: bool = False


def session_rows(series: Series, lines: Iterable[NumberedLine], form: Form) -> Iterator[MarketRow]:
    """Rows of the session, in the order of the file; then what was left out."""
    last = -1
    for line in lines:
        try:
            fields = line[1].split(",")
            if len(fields) != form.fields:
                raise InvalidFieldError("line", f"{form.fields} fields", len(fields))
            ms = form.read_ms(fields[0])
            if ms is None:
                continue
            if ms < last:
                series.leave_out(BACKWARDS, line)
                continue
            last = ms
            if form.is_flagged and _is_suspicious(fields[-1]):
                series.leave_out(SUSPICIOUS, line)
                continue
            row = form.make(fields, ms)
        except InvalidFieldError as error:
            yield from series.refuse(error, line)
            continue
        if series.hours.touches(ms, form.length_ms):
            yield row
        else:
            series.leave_out(OUTSIDE, line)
    yield from series.left_out()


def _is_suspicious(flag: str) -> bool:
    if flag not in ("0", "1"):
        raise InvalidFieldError("suspicious", "0 or 1", flag)
    return flag == "1"
