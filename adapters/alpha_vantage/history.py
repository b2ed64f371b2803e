"""Option chains of past sessions from Alpha Vantage, for sessions that nobody captured or not wholly.

One question for each symbol and session, each counted in the ledger that the live polling counts in, and
asked so slowly that it stays within what the live plan leaves (`vendor_plan.USED_OF_PLAN`). A symbol that the
vendor does not know is a refused row; a session of which it has nothing is None.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from adapters.alpha_vantage.source import AlphaVantage
from trading.calendar import session_close, session_on_or_before, sessions_between
from trading.errors import TransientError
from trading.feeds.limiter import DAY, RateLimits, RequestLimiter
from trading.model.market import ChainSnapshot, MarketKind, MarketRow, RefusedRow
from trading.ports.market_history import MarketHistory
from trading.ports.request_ledger import RequestLedger
from trading.ports.vendor_source import ChainRead, RefusalKind, VendorRefusedError

NAME = "alpha_vantage_history"
FIRST = date(2008, 1, 2)  # the vendor's words: more than fifteen years
SETTLES_AFTER = timedelta(hours=8)  # the close; a day's chain is there in the evening
USED_OF_MINUTE = 0.05  # what the live plan leaves
WAIT_MAX_S = 120.0  # longer is for another day
ASKS_MAX = 10  # for one turn

_log = logging.getLogger(__name__)


class VendorBusyError(TransientError):
    """The plan has no turn for history now; another time it has."""


@dataclass(slots=True, kw_only=True)
class AlphaVantageHistory(MarketHistory):
    """The port over HISTORICAL_OPTIONS; `symbols` are those of which chains are kept."""

    source: AlphaVantage
    symbols: Sequence[str]
    ledger: RequestLedger
    limits: RateLimits
    now: Callable[[], datetime]
    sleep: Callable[[float], None]

    @property
    def name(self) -> str:
        """The source's name in the warehouse: what is loaded is not what was heard."""
        return NAME

    def sessions(self, kind: MarketKind) -> Sequence[date]:
        """Sessions that are over and settled; of chains only."""
        if kind is not MarketKind.CHAIN:
            return ()
        now = self.now()
        last = session_on_or_before(now.date())
        if session_close(last) + SETTLES_AFTER > now:
            last = session_on_or_before(last - timedelta(days=1))
        return sessions_between(FIRST, last)

    def rows(self, kind: MarketKind, session: date) -> Iterator[MarketRow] | None:
        """Ask for every symbol's chain; None where the vendor has none of them, or the plan no history.

        Raises VendorUnavailableError, VendorBusyError, VendorRefusedError, LiveStateUnavailableError.
        """
        if kind is not MarketKind.CHAIN or session not in self.sessions(kind):
            return None
        found: list[MarketRow] = []
        for symbol in self.symbols:
            try:
                self._wait_for_turn()
                found += _told(self.source.settled_chain(symbol, session))
            except VendorRefusedError as error:
                if error.kind is RefusalKind.PREMIUM:
                    _log.warning("no_history %s", error)
                    return None
                if error.kind is not RefusalKind.SYMBOL:
                    raise
                found.append(_refusal(symbol, session, str(error)))
        return iter(found) if any(isinstance(row, ChainSnapshot) for row in found) else None

    def _wait_for_turn(self) -> None:
        """Count one request, after as long a wait as the plan asks for."""
        for _ in range(ASKS_MAX):
            now = self.now()
            spent = self.ledger.spent(self.source.name, now - DAY - timedelta(minutes=1))
            turn = RequestLimiter(self.limits, spent, now).ask(NAME, now)
            if turn.allowed:
                self.ledger.spend(self.source.name, now)
                self.sleep(60.0 / max(1.0, self.limits.per_minute * USED_OF_MINUTE))
                return
            if turn.wait_s > WAIT_MAX_S:
                raise VendorBusyError(f"{NAME}: {turn.reason}; again in {turn.wait_s:.0f} s")
            self.sleep(turn.wait_s)
        raise VendorBusyError(f"{NAME}: no turn in {ASKS_MAX} asks")


def _told(read: ChainRead) -> list[MarketRow]:
    rows: list[MarketRow] = list(read.refused)
    if read.snapshot is not None:
        rows.append(_of_history(read.snapshot))
    return rows


def _of_history(snapshot: ChainSnapshot) -> ChainSnapshot:
    return ChainSnapshot(
        symbol=snapshot.symbol,
        at=snapshot.at,
        source=NAME,
        spot=snapshot.spot,
        contracts=snapshot.contracts,
        listed=snapshot.listed,
    )


def _refusal(symbol: str, session: date, why: str) -> RefusedRow:
    return RefusedRow(
        symbol=symbol, feed="chain", at=session_close(session), field="symbol", reason=why, payload=""
    )
