"""Where a played session lies under the home folder: its inputs, its truth, the broker's statements of it.

The gateway writes here and the main job reads; nobody else needs it. Keep out: what is in the files.
"""

import shutil
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Self

from desk.stack.layout import PRIVATE_FILE_MODE, PRIVATE_FOLDER_MODE
from simulation.market.lean import read_folder
from simulation.market.replay import recorded_sessions
from simulation.sample_desk.journal import JOURNAL_NAME
from simulation.sample_desk.writing import DEFAULT_FIRST_SESSION, DEFAULT_SESSIONS
from trading.calendar import TradingCalendar
from trading.errors import ConfigurationError
from trading.model.times import NEW_YORK
from trading.settings import GatewaySettings, Settings

FOLDER = "gateway"  # under the home folder
PLAYED_PAST_CLOSE = timedelta(minutes=18)  # index options close at 16:15; at 16:20 the broker books the day
PAUSES_BEFORE_OPEN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayFolder:
    """The files of one session and seed."""

    folder: Path
    session: date

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The folder of the session that the settings name."""
        data = recorded_data(settings)
        session = session_to_play(replace(settings.gateway, data=data))
        name = f"{session.isoformat()}_" + (f"seed_{settings.gateway.seed}" if data is None else data.name)
        return cls(folder=settings.paths.home / FOLDER / name, session=session)

    @property
    def journal(self) -> Path:
        """The truth of the session; written when the broker has booked it, or the gateway stops."""
        return self.folder / JOURNAL_NAME

    @property
    def statements(self) -> Path:
        """What the broker would send the next morning, by kind."""
        return self.folder / "statements"

    @property
    def sent(self) -> Path:
        """When each execution was put on the wire: id and nanoseconds since the epoch, one a line."""
        return self.folder / "sent.txt"

    @property
    def pauses(self) -> str:
        """Lines of a fault script: the clock stands still when all of the session is told, and next morning.

        From the first pause until somebody lets it go on, everything can still be asked; then the broker
        books the day and the night is skipped.
        """
        return f"at {_told(self.ends_at)} freeze clock\nat {_told(self.morning_at)} freeze clock\n"

    @property
    def morning_at(self) -> datetime:
        """Just before the next session opens."""
        calendar = TradingCalendar()
        return calendar.session_open(calendar.next_session(self.session)) - PAUSES_BEFORE_OPEN

    @property
    def ends_at(self) -> datetime:
        """When everything of the session is told, before the broker books it."""
        return TradingCalendar().session_close(self.session) + PLAYED_PAST_CLOSE

    def make(self) -> None:
        """Make the folder, readable by its owner only."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER_MODE)

    def is_over(self) -> bool:
        """Whether everything that a client can hear of the session has happened."""
        return self._over.exists()

    def mark_over(self) -> None:
        """Say so."""
        self._over.touch(mode=PRIVATE_FILE_MODE)

    def begin_again(self) -> None:
        """Forget that the session was played: the next gateway plays it from its beginning."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.make()

    @property
    def _over(self) -> Path:
        return self.folder / "over"


def _told(moment: datetime) -> str:
    local = moment.astimezone(NEW_YORK)
    return f"{local:%H:%M:%S} on {local:%Y-%m-%d}"


def recorded_data(settings: Settings) -> Path | None:
    """The folder of recorded files to play; a relative one lies under the project."""
    data = settings.gateway.data
    return data if data is None or data.is_absolute() else settings.paths.project_root / data


def session_to_play(gateway: GatewaySettings) -> date:
    """The session asked for, else the folder's first or the one after the sample desk's month."""
    if gateway.session is not None:
        return gateway.session
    return _session_after_the_month() if gateway.data is None else _first_recorded(gateway.data)


@cache
def _first_recorded(data: Path) -> date:
    try:
        return recorded_sessions(read_folder(data), TradingCalendar())[0]
    except ValueError as error:
        raise ConfigurationError(f"gateway.{error}") from error


@cache
def _session_after_the_month() -> date:
    calendar = TradingCalendar()
    session = calendar.session_on_or_after(DEFAULT_FIRST_SESSION)
    for _ in range(DEFAULT_SESSIONS):
        session = calendar.next_session(session)
    return session
