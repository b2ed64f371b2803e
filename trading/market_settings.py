"""Settings of market data: what is watched, how it is heard, which vendors are asked, what history there is.

Types only, as in `settings.py`, which holds the tree; files and environment are read in
`adapters/configuration`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from pathlib import Path


class ChainMode(Enum):
    """How a symbol's option chain is heard from the broker."""

    NONE = "none"
    SNAPSHOT = "snapshot"  # one contract after another, within the lines that are left
    STREAM = "stream"  # every contract has a line of its own; few logins have that many


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolSettings:
    """What is heard of one symbol. Depth and tick-by-tick lines are few; all others run on generic 233."""

    sector: str
    depth: bool
    tick_by_tick: bool
    bars: bool
    chain: ChainMode
    has_news: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSettings:
    """What is watched, by symbol, and how much of each chain: expiries ahead and strikes around the spot."""

    symbols: Mapping[str, SymbolSettings]
    chain_expiries_max: int
    chain_strikes_each_side: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestSettings:
    """The process that listens to the broker's market data, on a connection and client id of its own.

    The lines are what the login has; depth and tick-by-tick are counted apart. Times in broker seconds but
    for `flush_every_ms`, which is of this machine. A book that is crossed for longer than
    `book_crossed_max_s` is wrong.
    """

    enabled: bool
    client_id: int
    market_data_lines: int
    depth_lines: int
    depth_rows: int
    tick_by_tick_lines: int
    flush_every_ms: int
    depth_every_ms: int
    chain_every_s: int
    heartbeat_every_s: int
    metrics_every_s: int
    quote_stale_after_s: int
    chain_stale_after_s: int
    book_crossed_max_s: int
    capture: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorSettings:
    """Alpha Vantage: where it is, how often it is asked, what it allows. No key: it is not asked.

    Requests are limited in any minute, and in any second and day where these are not 0. `realtime_options`:
    the plan includes live chains. `workers_max` requests are on their way at once.
    """

    alpha_vantage_key: str | None = field(default=None, repr=False)
    alpha_vantage_url: str
    realtime_options: bool
    requests_per_second: int
    requests_per_minute: int
    requests_per_day: int
    chains_every_s: int
    technicals_every_s: int
    sentiment_every_s: int
    news_window_s: int
    workers_max: int
    attempts_max: int
    connect_timeout_s: int
    answer_timeout_s: int
    answer_bytes_max: int
    breaker_failures_max: int
    breaker_open_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StubSettings:
    """Stand-ins for the vendors, on loopback, that know the simulated gateway's market; off: none.

    Limits as the vendor's plans have them (0: none). `chains` is a folder of recorded chains of `chains_of`,
    in the place of the gateway's market.
    """

    enabled: bool
    alpha_vantage_port: int
    cboe_port: int
    yahoo_port: int
    requests_per_minute: int
    requests_per_day: int
    chains: Path | None
    chains_of: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VolatilitySettings:
    """The one-day volatility index: its sources and the thresholds of the regime (page 40).

    Times are the market's, but for the time-outs. A source without an address is not asked. `every_s` is how
    often a source that is needed is asked, `standby_every_s` one that is not (0: not at all), and
    `closed_every_s` each while the index is not told.
    """

    yahoo_url: str | None
    cboe_history_url: str | None
    every_s: int
    standby_every_s: int
    closed_every_s: int
    history_every_s: int
    fresh_for_s: int
    stale_after_s: int
    clock_ahead_max_s: int
    connect_timeout_s: int
    answer_timeout_s: int
    answer_bytes_max: int
    breaker_failures_max: int
    breaker_open_s: int
    shock_at: Decimal
    shock_change_5m: Decimal
    elevated_at: Decimal
    elevated_change_1h: Decimal
    elevated_z: Decimal
    benign_at: Decimal
    benign_z: Decimal
    samples_min: int
    sessions_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySettings:
    """Recorded market data; no folder: there is none. Layout of each set: docs/market-history.md."""

    lean_folder: Path | None
