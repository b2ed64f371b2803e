"""A world made of recorded files: the market of some sessions as it was, with a broker who trades in it.

    world = recorded_world(Path("lean-goog-options-20151224"), date(2015, 12, 24))

The played sessions follow each other; a day that was not recorded ends them. Before and between them the
market is closed. Who plays it is unknown to the files: rates of currencies and names of companies are not in
them. Keep out: how rows become quotes (`replay_tapes`), the layout of the files (`lean`).
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from simulation.market.hours import TradingHours
from simulation.market.lean import LeanFolder, RecordingError, read_folder
from simulation.market.lean_names import Kind, Series
from simulation.market.paths import epoch
from simulation.market.replay_contracts import recorded_listings
from simulation.market.replay_examination import examine
from simulation.market.replay_recording import Recording
from simulation.market.replay_sources import RecordedQuotes, RecordedTape
from simulation.market.world import World
from simulation.sample_desk.contracts import Contract, Underlying
from simulation.sample_desk.market import EURO_START_PIPS, STEPS, Market
from trading.calendar import TradingCalendar

EURO = Decimal(EURO_START_PIPS) / 100_000  # no file tells it
SEED = 0  # of the broker's own numbers; the market is not drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedWorld(World):
    """A world that remembers what it is made of."""

    recording: Recording

    def remarks(self) -> list[str]:
        """What is odd in the files, as far as they have been read."""
        return self.recording.folder.remarks.texts()


@dataclass(slots=True, kw_only=True)
class RecordedMarket(Market):
    """Closes and marks for statements."""

    quotes: RecordedQuotes
    calendar: TradingCalendar

    def spot_cents(self, underlying: Underlying, session: date, step: int) -> int:
        """The underlying's price at a step of the session."""
        opens, closes = self.calendar.session_open(session), self.calendar.session_close(session)
        return self.quotes.spot_cents(underlying, epoch(opens + (closes - opens) * step // STEPS))

    def close_cents(self, underlying: Underlying, session: date) -> int:
        """The session's last price."""
        return self.spot_cents(underlying, session, STEPS)

    def option_cents(self, contract: Contract, session: date, step: int) -> int:
        """Between bid and ask at a step."""
        opens, closes = self.calendar.session_open(session), self.calendar.session_close(session)
        second = epoch(opens + (closes - opens) * step // STEPS)
        return max(1, round(self.quotes.fair_cents(contract, second)))

    def mark(self, contract: Contract, session: date) -> Decimal:
        """The statement's mark: between the last bid and ask."""
        if contract.underlying is None:
            raise ValueError(f"contract: expected a security, was {contract.symbol}")
        bell = epoch(self.calendar.session_close(session))
        return Decimal(round(self.quotes.fair_cents(contract, bell) * 100)) / 10_000


def recorded_world(
    data: Path,
    session: date | None = None,
    sessions: int | None = None,
    calendar: TradingCalendar | None = None,
) -> RecordedWorld:
    """The recorded sessions from one on (the folder's first), as many as follow each other, or fewer."""
    calendar = calendar or TradingCalendar()
    folder = read_folder(data)
    days = recorded_sessions(folder, calendar)
    for day in set(folder.sessions()) - set(days):
        folder.remarks.note(data.name, "days that are no sessions, left out", day)
    played = _played(days, session, calendar)[:sessions]
    if played[-1] != days[-1]:
        later = days[days.index(played[-1]) + 1]
        folder.remarks.note(data.name, f"sessions after {played[-1]} that are not played in this run", later)
    hours = TradingHours(calendar)
    recording = Recording(folder=folder, hours=hours, days=days)
    examine(recording, played)
    quotes = RecordedQuotes(recording=recording)
    return RecordedWorld(
        seed=SEED,
        calendar=calendar,
        sessions=played,
        market=RecordedMarket(euro=dict.fromkeys(days, EURO), quotes=quotes, calendar=calendar),
        hours=hours,
        listings=recorded_listings(seen_series(folder, played), folder.spots, hours),
        quotes=quotes,
        tape=RecordedTape(recording=recording),
        recording=recording,
    )


def recorded_sessions(folder: LeanFolder, calendar: TradingCalendar) -> tuple[date, ...]:
    """The recorded days that are sessions; a folder that has none is an error that names its first day."""
    told = folder.sessions()
    days = tuple(day for day in told if calendar.is_session(day))
    if not days:
        raise RecordingError(f"data: expected a session of the exchange in {folder.path}, was {told[0]}")
    return days


def seen_series(folder: LeanFolder, sessions: tuple[date, ...]) -> list[Series]:
    """Series that somebody quoted or traded in the sessions; open interest alone lists nothing."""
    seen = {key for kind, key, day in folder.places if kind is not Kind.OPEN_INTEREST and day in sessions}
    return [series for key, series in folder.series.items() if key in seen]


def _played(days: tuple[date, ...], session: date | None, calendar: TradingCalendar) -> tuple[date, ...]:
    first = days[0] if session is None else session
    if first not in days:
        raise RecordingError(f"session: expected one of {', '.join(map(str, days))}, was {first}")
    played = [first]
    while (following := calendar.next_session(played[-1])) in days:
        played.append(following)
    return tuple(played)
