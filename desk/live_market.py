"""What was heard of the market in a played session: counts, how they read, and the assets' run over it.

A market row that is heard has no identity but its place in the outbox, unlike a fill: the same session played
again would be there twice. So its market is heard once, and a second play leaves it as it is. Keep out:
playing the session (`desk/live_session.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Self

import sql
from adapters.clickhouse.client import Warehouse
from desk.answers import Advance, say
from desk.dagster_api import RANGE_END, RANGE_START, DagsterApi
from desk.main_job import run_to_its_end
from trading.model.times import NEW_YORK

MARKET_JOB = "load_market"
HEARD_ONLY = {"desk/sources": "live"}  # a played day is in no vendor's history


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveMarket:
    """One session's market in numbers; `until_at` is its last quote, None where nothing was heard."""

    quotes: int
    contracts: int
    trades: int
    minutes: int
    books: int
    chains: int
    chain_rows: int
    volatility_readings: int
    regime: str
    until_at: datetime | None

    @classmethod
    def of(cls, session: date, warehouse: Warehouse) -> Self:
        """Count."""
        (row,) = warehouse.rows(sql.query("live_market"), {"session": session})
        told: Mapping[str, Any] = dict(row)
        return cls(**{**told, "until_at": told["until_at"] if told["quotes"] else None})

    @property
    def is_heard(self) -> bool:
        """Whether anything of it is there."""
        return bool(self.quotes or self.trades or self.chains)


def show_its_assets(session: date, api: DagsterApi, advance: Advance) -> None:
    """Let Dagster count and check the session's market, so that its pages show it.

    Raises RunFailedError, JobStalledError.
    """
    day = session.isoformat()
    tags = {RANGE_START: day, RANGE_END: day, **HEARD_ONLY}
    run_to_its_end(api, MARKET_JOB, tags, f"the market of {day}", advance)


def assets_are_shown(session: date, api: DagsterApi) -> bool:
    """Whether a run over the session ended well: one that was killed before it leaves that to the next."""
    done = api.runs(("SUCCESS",))
    return any(run.job == MARKET_JOB and run.first == session.isoformat() for run in done)


def show_market(market: LiveMarket) -> None:
    """Print the figures for people."""
    if market.until_at is None:
        return
    regime = f", one-day volatility {market.regime}" if market.regime else ""
    say(
        f"Its market until {market.until_at.astimezone(NEW_YORK):%H:%M}: {market.quotes} quotes of "
        f"{market.contracts} instruments, {market.trades} trades, {market.minutes} one-minute bars, "
        f"{market.books} books, {market.chains} chain snapshots of {market.chain_rows} rows{regime}."
    )
