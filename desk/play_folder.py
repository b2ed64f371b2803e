"""Where a played session lies under the home folder: when it began, its truth, the broker's statements of it.

The gateway writes here and the main job reads; nobody else needs it. A gateway that was killed finds when
its session began, and goes on where the clock would be; what was traded until then follows from the seed.
Keep out: what is in the journal.
"""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Self

from desk.stack.layout import PRIVATE_FILE_MODE, PRIVATE_FOLDER_MODE
from desk.stack.passwords import write_private
from simulation.sample_desk.journal import JOURNAL_NAME
from simulation.sample_desk.writing import DEFAULT_FIRST_SESSION, DEFAULT_SESSIONS
from trading.calendar import TradingCalendar
from trading.settings import GatewaySettings, Settings

FOLDER = "gateway"  # under the home folder
PLAYED_BEFORE_OPEN = timedelta(minutes=5)
PLAYED_PAST_CLOSE = timedelta(minutes=19)  # index options close at 16:15; at 16:20 the broker books the day


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayFolder:
    """The files of one session."""

    folder: Path
    session: date

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The folder of the session that the settings name."""
        session = session_to_play(settings.gateway)
        return cls(folder=settings.paths.home / FOLDER / session.isoformat(), session=session)

    @property
    def journal(self) -> Path:
        """The truth of the session; written when the broker books it, or when the gateway stops."""
        return self.folder / JOURNAL_NAME

    @property
    def statements(self) -> Path:
        """What the broker would send the next morning."""
        return self.folder / "statements"

    @property
    def sent(self) -> Path:
        """When each execution was first put on the wire: id and nanoseconds since the epoch, one a line."""
        return self.folder / "sent.txt"

    def is_over(self) -> bool:
        """Whether everything that a client can hear of the session has happened."""
        return self._over.exists()

    def mark_over(self) -> None:
        """Say so."""
        self._over.touch(mode=PRIVATE_FILE_MODE)

    def begin_again(self) -> None:
        """Forget that the session was played; its statements stay until they are written again."""
        for path in (self._beginning, self._over, self.journal, self.sent):
            path.unlink(missing_ok=True)

    def began_at(self, gateway: GatewaySettings, now: float) -> float:
        """When this session began, in seconds since the epoch: earlier if a killed gateway played it."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER_MODE)
        asked = {"seed": gateway.seed, "speed": gateway.speed, "faults": str(gateway.faults)}
        known = self._known_beginning()
        if known is not None and {name: known.get(name) for name in asked} == asked:
            return float(known["began_at"])
        write_private(self._beginning, json.dumps({**asked, "began_at": now}) + "\n")
        return now

    @property
    def _over(self) -> Path:
        return self.folder / "over"

    @property
    def _beginning(self) -> Path:
        return self.folder / "began.json"

    def _known_beginning(self) -> dict[str, Any] | None:
        try:
            known = json.loads(self._beginning.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return known if isinstance(known, dict) and "began_at" in known else None


def session_to_play(gateway: GatewaySettings) -> date:
    """The session asked for, else the one after the sample desk's month."""
    return gateway.session or _session_after_the_month()


@cache
def _session_after_the_month() -> date:
    calendar = TradingCalendar()
    session = calendar.session_on_or_after(DEFAULT_FIRST_SESSION)
    for _ in range(DEFAULT_SESSIONS):
        session = calendar.next_session(session)
    return session
