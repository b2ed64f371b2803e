"""Checks of market data by session: what is known to be dirty is named and warned of, what is false blocks.

Every check is a statement over the warehouse (`sql/market_checks`) and gets here what it compares with: the
exchange's hours, the splits that the sources know, and bounds. Rows outside of their session and prints told
twice block what is computed from them. All else warns: a crossed quote, a stale contract and a series listed
twice are what real tapes hold, and nothing is taken away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from trading.calendar import CALENDAR_START, LATE_CLOSE_SYMBOLS, session_close, session_open, sessions_between
from trading.model.contract_master import Split
from trading.ports.clock import Clock
from trading.ports.market_audit import Findings, MarketAudit
from trading.ports.market_history import MarketHistory
from trading.ports.model_runner import SessionRange, Severity, TableName
from trading.ports.quality import QualityHistory, QualityResult, QualityRule

NAMED_MAX = 20
SPLITS_MAX = 10_000
DAYS_BEFORE = 14  # five sessions lie within them, whatever holidays there are
INDEXES_LATE = ("SPX", "XSP", "VIX", "NDX", "RUT", "DJX", "OEX", "XEO")  # their options trade to 16:15
SPLIT_DAYS_AROUND = 30
BOUNDS = {  # what is still in order
    "stale_min": 60,
    "volatility_max": 5.0,
    "rate_max": 0.06,  # a year
    "dividend_max": 0.06,  # a year
    "parity_slack": 0.002,  # of the spot
    "apart_s": 30,  # of a call, its put and their underlying: a share moves less than the slack meanwhile
    "greeks_slack": 0.001,
}
QUOTES = TableName(database="core", table="quotes")
TRADES = TableName(database="core", table="trades")
BARS = TableName(database="core", table="bars")
CHAINS = TableName(database="core", table="chains")
VOLATILITY = TableName(database="core", table="volatility")
NEWS = TableName(database="core", table="news_sentiment")
TECHNICALS = TableName(database="core", table="technicals")


LINES = (
    "Contracts take turns on the lines that are left (`desk doctor` shows how many), and a market that is"
    " played fast moves on between two looks. More lines (MARKET_DATA_LINES, where the login has them), fewer"
    " contracts (CHAIN_EXPIRIES, CHAIN_STRIKES, fewer symbols with a chain in config/market.yaml) or a slower"
    " played session (DESK_GATEWAY_SPEED) make quotes younger."
)
PAIRS = "A pair that is off is a quote to look at (core.chains). Where pairs are not judged: " + LINES


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketCheckTools:
    """What the checks read, and where their results are kept."""

    audit: MarketAudit
    histories: Sequence[MarketHistory]
    history: QualityHistory
    clock: Clock


def _error(name: str, table: TableName, about: str) -> QualityRule:
    return QualityRule(name=name, table=table, about=about, severity=Severity.ERROR, blocking=True)


def _warning(name: str, table: TableName, about: str, remedy: str = "") -> QualityRule:
    return QualityRule(name=name, table=table, about=about, severity=Severity.WARN, remedy=remedy)


MARKET_RULES: tuple[QualityRule, ...] = (
    _error("quotes_lie_in_the_session", QUOTES, "What was loaded of a session lies in its hours."),
    _warning("quotes_are_not_crossed", QUOTES, "A bid stands below its offer; crossed ones are named."),
    _warning("quotes_are_not_stale", QUOTES, "What was quoted in a session is quoted nearly to its end."),
    _error("trades_lie_in_the_session", TRADES, "What was loaded of a session lies in its hours."),
    _error("trades_are_told_once", TRADES, "A print has one place in its source."),
    _warning("prints_have_one_source", TRADES, "No instrument's prints are told live and by a file too."),
    _error("bars_lie_in_the_session", BARS, "What was loaded of a session lies in its hours."),
    _warning("bars_have_no_gaps", BARS, "Every minute of the session has a bar of each share and index."),
    _warning("bars_cover_every_session", BARS, "Who had bars in the sessions before has some in this one."),
    _warning(
        "chain_is_complete", CHAINS, "Each watched contract is in the chain with a bid or an offer.", LINES
    ),
    _warning("greeks_are_in_range", CHAINS, "Model values are such as an option can have."),
    _warning(
        "put_call_parity_holds",
        CHAINS,
        "Calls and puts of one strike and one moment agree within their spreads.",
        PAIRS,
    ),
    _warning("contracts_have_not_expired", CHAINS, "No contract in a chain expired before its session."),
    _warning("series_are_listed_once", CHAINS, "Around a split no series stands under both its strikes."),
    _warning("open_interest_is_of_the_new_series", CHAINS, "After a split no open interest is of before it."),
    _warning(
        "volatility_covers_every_session", VOLATILITY, "An index that was told before is told each session."
    ),
    _warning("sentiment_is_in_range", NEWS, "A sentiment is from -1 to 1, and none without articles."),
    _warning("technicals_are_in_range", TECHNICALS, "Indicators are such as prices can have."),
)


def check_market(
    rules: Sequence[QualityRule], sessions: SessionRange, tools: MarketCheckTools
) -> Sequence[QualityResult]:
    """Apply rules to the sessions and keep the results."""
    parameters = _parameters(sessions, tools)
    results = []
    for rule in rules:
        found = tools.audit.examine(rule.name, sessions, parameters, NAMED_MAX)
        results.append(
            QualityResult(
                rule=rule,
                passed=found.wrong == 0 and not _is_blind(found),
                failing_rows=found.wrong,
                sample=tuple(found.named),
                judged=found.judged,
                not_judged=found.not_judged,
                notes=tuple(found.notes),
            )
        )
    tools.history.record(results, sessions, tools.clock.now())
    return results


def _is_blind(found: Findings) -> bool:
    """Whether there was something to judge, and nothing of it could be: that is no pass."""
    return found.judged == 0 and found.not_judged > 0


def _parameters(sessions: SessionRange, tools: MarketCheckTools) -> Mapping[str, object]:
    days = sessions_between(sessions.first, sessions.last)
    begins = max(CALENDAR_START, sessions.first - timedelta(days=DAYS_BEFORE))
    splits = _splits(sessions, tools)
    return {
        "sessions": list(days),
        "nearby": list(sessions_between(begins, sessions.last)),
        "opens": [session_open(day) for day in days],
        "closes": [session_close(day) for day in days],
        "upto": tools.clock.now(),
        "late_symbols": sorted({*LATE_CLOSE_SYMBOLS, *INDEXES_LATE}),
        **BOUNDS,
        "split_symbols": [split.symbol for split in splits],
        "split_days": [split.effective for split in splits],
        "split_ratios": [split.numerator / split.denominator for split in splits],
        "split_days_around": SPLIT_DAYS_AROUND,
    }


def _splits(sessions: SessionRange, tools: MarketCheckTools) -> Sequence[Split]:
    """The splits near the sessions, as the sources know them; two sources may know one."""
    around = timedelta(days=SPLIT_DAYS_AROUND)
    found = {
        (split.symbol, split.effective): split
        for history in tools.histories
        for split in history.splits()
        if sessions.first - around <= split.effective <= sessions.last + around
    }
    return list(found.values())[:SPLITS_MAX]
