"""What markets said, by session: quotes, trades, bars, chains, volatility, news with sentiment, technicals.

The live capture comes through the outbox and its drain. Building a session that is over reads every source of
history that has it and stores its rows beside the live ones, under the source's name, exactly once however
often it is asked; the session that is on is counted only. So any range can be backfilled, again and again.
Keep out: SQL, reading files, what rows mean.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import dagster as dg

from assets.landing import OWNERS
from assets.market_columns import columns_metadata
from assets.market_metadata import Metadata, Told, loads_metadata, smile_metadata
from assets.sessions import FIRST_MARKET_SESSION, asked_sessions, market_sessions
from trading.model.market import MarketKind
from trading.model.times import NEW_YORK
from trading.ports.market_audit import MarketAudit
from trading.ports.model_runner import SessionRange
from trading.ports.plots import Plots
from trading.services.load_market import MarketLoads, MarketTools, load_market

SESSIONS_PER_RUN_MAX = 100  # of a backfill; what a failed run had loaded stays, and is read again
BROKEN_SHOWN_MAX = 5  # in the failure's words; all are in its metadata
SOURCES_GROUP = "market_sources"
SOURCES_TAG, LIVE_ONLY = "desk/sources", "live"  # of a run that counts what was heard and reads no history
BROKER, VENDOR, FILES, INDEXES = (
    dg.AssetKey([SOURCES_GROUP, name])
    for name in ("broker_market_data", "alpha_vantage", "recorded_files", "volatility_sites")
)
SOURCES = {
    BROKER: "The broker's market data, heard by the resident `ingest` and drained by `market-drain`.",
    VENDOR: "Alpha Vantage: chains, news with sentiment, technicals; asked by the resident `vendors`.",
    FILES: "Recorded sessions in Lean's formats, in the folder that DESK_LEAN_FOLDER names.",
    INDEXES: "The one-day volatility index: the broker's, Yahoo's, and Cboe's daily history.",
}
# On trading days each hour from half past ten to half past four, and once after the evening's load. A closed
# weekday needs no exception: the schedule counts the last session then.
FRESH_IN_HOURS = dg.FreshnessPolicy.cron(
    deadline_cron="30 10-16 * * 1-5", lower_bound_delta=timedelta(hours=1), timezone=str(NEW_YORK)
)
FRESH_DAILY = dg.FreshnessPolicy.cron(
    deadline_cron="30 18 * * 1-5", lower_bound_delta=timedelta(hours=10), timezone=str(NEW_YORK)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketTable:
    """One asset: the kinds of rows in it, where they come from, and how fresh they must be."""

    name: str
    kinds: tuple[MarketKind, ...]
    sources: tuple[dg.AssetKey, ...]
    about: str
    fresh: dg.FreshnessPolicy = FRESH_IN_HOURS

    @property
    def key(self) -> dg.AssetKey:
        """[database, table]."""
        return dg.AssetKey(["core", self.name])


QUOTES = MarketTable(
    name="quotes",
    kinds=(MarketKind.QUOTE,),
    sources=(BROKER, FILES),
    about="Level 1 of every instrument as it changed; of minute files the quote at each minute's end.",
)
TRADES = MarketTable(
    name="trades",
    kinds=(MarketKind.TRADE,),
    sources=(BROKER, FILES),
    about="Every print, with its aggressor and the quote that stood.",
)
BARS = MarketTable(
    name="bars",
    kinds=(MarketKind.BAR,),
    sources=(BROKER, FILES),
    about="Bars of shares, indexes and options; live ones of a minute, recorded ones also of an hour.",
)
CHAINS = MarketTable(
    name="chains",
    kinds=(MarketKind.CHAIN,),
    sources=(BROKER, VENDOR, FILES),
    about="Option chains, one row for each contract and snapshot, with greeks and open interest.",
)
VOLATILITY = MarketTable(
    name="volatility",
    kinds=(MarketKind.VOLATILITY,),
    sources=(BROKER, INDEXES),
    about="The one-day volatility index and the regime it says.",
)
NEWS = MarketTable(
    name="news_sentiment",
    kinds=(MarketKind.NEWS, MarketKind.SENTIMENT),
    sources=(VENDOR,),
    about="Articles, and the sentiment of each symbol over the last of them.",
    fresh=FRESH_DAILY,
)
TECHNICALS = MarketTable(
    name="technicals",
    kinds=(MarketKind.TECHNICAL,),
    sources=(VENDOR, BARS.key),
    about="RSI, MACD, BBANDS and ATR by symbol; of a past session computed from its bars, minute by minute.",
    fresh=FRESH_DAILY,
)
TABLES = (CHAINS, BARS, TRADES, QUOTES, VOLATILITY, NEWS, TECHNICALS)


def build_market_asset(table: MarketTable) -> dg.AssetsDefinition:
    """One asset of market data."""

    @dg.asset(
        key=table.key,
        deps=list(table.sources),
        description=table.about,
        group_name="market",
        owners=OWNERS,
        kinds={"clickhouse", "python"},
        tags={"layer": "core"},
        code_version="1",
        freshness_policy=table.fresh,
        partitions_def=market_sessions(),
        backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=SESSIONS_PER_RUN_MAX),
        pool="warehouse_writes",
    )
    def market(
        context: dg.AssetExecutionContext,
        market_tools: dg.ResourceParam[MarketTools],
        market_audit: dg.ResourceParam[MarketAudit],
        plots: dg.ResourceParam[Plots],
    ) -> dg.MaterializeResult[Any]:
        sessions = asked_sessions(context) or newest_session()
        loads = load_market(table.kinds, sessions, asked_tools(context, market_tools))
        told = _told(table, sessions, market_audit)
        for load in loads:
            own = told.of(load.session, market_tools.clock.now()) | loads_metadata(load)
            if table is CHAINS and told.has_rows(load.session):
                own |= smile_metadata(market_audit, plots, load.session)
            _tell(context, table, load.session, own)
        check_all_was_read(loads)
        return dg.MaterializeResult(asset_key=table.key, metadata=columns_metadata(market_audit, table.kinds))

    return market


def check_all_was_read(loads: Sequence[MarketLoads]) -> None:
    """Fail the run with the names of what could not be read; what could be is stored, and can be again."""
    broken = [f"{load.session}: {name}" for load in loads for name in load.broken]
    if broken:
        raise dg.Failure(
            description=f"{len(broken)} files or parts of files: {'; '.join(broken[:BROKEN_SHOWN_MAX])}",
            metadata={"cannot be read": broken},
            allow_retries=False,
        )


def _told(table: MarketTable, sessions: SessionRange, audit: MarketAudit) -> Told:
    """What the warehouse holds of the sessions, by one question a kind."""
    counts = [(str(kind), count) for kind in table.kinds for count in audit.counts(kind, sessions)]
    return Told(counts=counts, filled=audit.filled(sessions) if table is BARS else None)


def _tell(context: dg.AssetExecutionContext, table: MarketTable, session: date, metadata: Metadata) -> None:
    """A run over a range says of each session what concerns it."""
    key = str(session) if context.has_partition_key or context.has_partition_key_range else None
    context.add_asset_metadata(metadata, asset_key=table.key, partition_key=key)


def asked_tools(context: dg.AssetExecutionContext, tools: MarketTools) -> MarketTools:
    """All sources; none for a run of a session that was played: no real source knows anything of that day."""
    is_live_only = context.run.tags.get(SOURCES_TAG) == LIVE_ONLY
    return replace(tools, histories=()) if is_live_only else tools


def newest_session() -> SessionRange:
    """What a run without a partition is about: the session that is on, or the next one."""
    last = market_sessions().get_last_partition_key() or str(FIRST_MARKET_SESSION)
    day = date.fromisoformat(last)
    return SessionRange(first=day, last=day)


def source_specs() -> Iterator[dg.AssetSpec]:
    """Where market data comes from, as assets that somebody else makes."""
    for key, about in SOURCES.items():
        yield dg.AssetSpec(key, description=about, group_name=SOURCES_GROUP, owners=OWNERS)


MARKET_ASSETS = tuple(build_market_asset(table) for table in TABLES)
MARKET_SOURCES = tuple(source_specs())
