"""The fault script: lines of `at TIME FAULT` and `from TIME to TIME SWITCH`, and the runner that plays it.

    at 10:15:03 drop link; resend last 50 executions
    at 11:00 correct last execution quantity 3      # words after a hash are for people
    from 12:00 to 12:05 delay commissions 120 s
    at 09:45 on 2026-11-16 notice 2103

Times are New York's on the first simulated session, or on the day that is named.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time

from simulation.faults.catalogue import fault_of
from simulation.faults.fault import Act, Fault
from simulation.faults.language import ScriptError, Values
from simulation.faults.stage import Stage
from simulation.market.hours import local

LINES_MOST = 10_000
TIME = re.compile(r"\d{1,2}:\d{2}(:\d{2})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One fault of a script; `ends` None is once, or on for good."""

    line: int
    words: str
    fault: Fault
    values: Values
    starts: time
    ends: time | None
    day: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do at one moment; `until` is the end of a switch that this turns on."""

    at: datetime
    entry: Entry
    act: Act
    until: datetime | None = None


@dataclass(slots=True)
class Ran:
    """What was done, for people: moment, words, and the reason when it could not be done."""

    at: datetime
    words: str
    failure: str = ""


def read_script(text: str) -> list[Entry]:
    """Read a script; the first line that cannot be read is an error that names line and word."""
    lines = text.splitlines()
    if len(lines) > LINES_MOST:
        raise ScriptError(f"expected at most {LINES_MOST} lines, was {len(lines)}")
    entries: list[Entry] = []
    for number, line in enumerate(lines, start=1):
        told = line.partition("#")[0].strip()
        if told:
            try:
                entries += _read_line(number, told)
            except ScriptError as error:
                raise ScriptError(f"line {number}: {error}") from error
    return entries


def steps_of(entries: Sequence[Entry], session: date) -> list[Step]:
    """What to do when, in time order; of one moment in the order of the script."""
    steps: list[Step] = []
    for entry in entries:
        day = entry.day or session
        starts = local(day, entry.starts)
        ends = None if entry.ends is None else local(day, entry.ends)
        steps.append(Step(at=starts, entry=entry, act=entry.fault.act, until=ends))
        if ends is not None and entry.fault.undo is not None:
            steps.append(Step(at=ends, entry=entry, act=entry.fault.undo))
    return sorted(steps, key=lambda step: step.at)


@dataclass(slots=True)
class ScriptRunner:
    """Plays steps when their moment has come; the world is brought to each moment before its fault acts."""

    stage: Stage
    steps: list[Step]
    ran: list[Ran] = field(default_factory=list)
    place: int = 0

    def resume(self, at: datetime) -> None:
        """Go on after a restart: what was done is not done again, but switches that should be on are."""
        done = [step for step in self.steps if step.at <= at]
        self.place = len(done)
        for step in done:
            if step.until is not None and step.until > at:
                self._run(step, at)

    def run_due(self, now: datetime) -> list[Ran]:
        """Do all that is due by now."""
        first = len(self.ran)
        while self.place < len(self.steps) and self.steps[self.place].at <= now:
            step = self.steps[self.place]
            self.place += 1
            self.stage.tell(self.stage.broker.advance(step.at))
            self._run(step, step.at)
        return self.ran[first:]

    def do(self, words: str, now: datetime) -> Ran:
        """Do one fault at once."""
        fault, values = fault_of(words.split())
        self.stage.at = now
        fault.act(self.stage, values)
        done = Ran(now, words)
        self.ran.append(done)
        return done

    def _run(self, step: Step, at: datetime) -> None:
        """A fault that cannot act (no execution to correct) is noted and the script goes on."""
        self.stage.at = at
        failure = ""
        try:
            step.act(self.stage, step.entry.values)
        except ValueError as error:
            failure = f"line {step.entry.line}: {error}"
        self.ran.append(Ran(at, step.entry.words, failure))


def _read_line(number: int, line: str) -> Iterator[Entry]:
    words = line.split()
    starts, ends, day, rest = _moments(words)
    text = " ".join(words[rest:])
    for part in text.split(";"):
        try:
            fault, values = fault_of(part.split())
        except ScriptError as error:
            raise ScriptError(f"{part.strip() or line}: {error}") from error
        if ends is not None and not fault.is_switch:
            raise ScriptError(f"{part.strip()}: expected a switch after from … to …, was what happens once")
        yield Entry(
            line=number,
            words=part.strip(),
            fault=fault,
            values=values,
            starts=starts,
            ends=ends,
            day=day,
        )


def _moments(words: list[str]) -> tuple[time, time | None, date | None, int]:
    """When, until when, on which day, and the place of the first word of the fault."""
    if words[0] not in ("at", "from"):
        raise ScriptError(f'word 1: expected "at" or "from", was {words[0]}')
    starts, place, ends = _time(words, 1), 2, None
    if words[0] == "from":
        if len(words) <= place or words[place] != "to":
            raise ScriptError(f'word {place + 1}: expected "to", was {_word(words, place)}')
        ends, place = _time(words, place + 1), place + 2
        if ends <= starts:
            raise ScriptError(f"word {place}: expected a time after {starts}, was {ends}")
    if _word(words, place) != "on":
        return starts, ends, None, place
    try:
        return starts, ends, date.fromisoformat(_word(words, place + 1)), place + 2
    except ValueError as error:
        found = _word(words, place + 1)
        raise ScriptError(f"word {place + 2}: expected a day such as 2026-11-16, was {found}") from error


def _time(words: list[str], place: int) -> time:
    word = _word(words, place)
    if not TIME.fullmatch(word):
        raise ScriptError(f"word {place + 1}: expected a time such as 10:15:03, was {word}")
    try:
        hour, minute, second = [*(int(part) for part in word.split(":")), 0][:3]
        return time(hour, minute, second)
    except ValueError as error:
        raise ScriptError(f"word {place + 1}: expected a time of the day, was {word}") from error


def _word(words: list[str], place: int) -> str:
    return words[place] if place < len(words) else "the end of the line"
