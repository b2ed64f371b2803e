"""THE key schema of Redis: every key's form, type, life and writer. No key is spelled anywhere else.

`{SYM}` is a symbol as hash tag, in braces, so that all keys of one atomic script lie in one slot;
`<name>` is any other part. A life of None means that the key stays; VARIES that its writer says it each
time. Keep out: what is in the values.
"""

from typing import Final

from adapters.redis.key_family import VARIES, KeyFamily, read_key

MINUTE_S: Final = 60
HOUR_S: Final = 3_600
DAY_S: Final = 86_400
_FAMILIES: list[KeyFamily] = []


def _family(
    pattern: str, kind: str, ttl_s: int | None, writer: str, what: str, older: tuple[str, ...] = ()
) -> KeyFamily:
    family = KeyFamily(pattern, kind, ttl_s, writer, what, older)
    _FAMILIES.append(family)
    return family


MARKET_TICKER = _family(
    "market:{SYM}:ticker",
    "string",
    DAY_S,
    "market ingestion",
    "last quote",
    older=("market:<symbol>:ticker",),
)
MARKET_BOOK = _family(
    "market:{SYM}:book",
    "string",
    DAY_S,
    "market ingestion",
    "depth snapshot",
    older=("market:<symbol>:book",),
)
MARKET_TRADES = _family(
    "market:{SYM}:trades",
    "list",
    DAY_S,
    "market ingestion",
    "recent prints, bounded",
    older=("market:<symbol>:trades",),
)
MARKET_BARS = _family(
    "market:{SYM}:bars:1m",
    "zset",
    4 * DAY_S,
    "market ingestion",
    "1-minute bars",
    older=("market:<symbol>:bars", "market:<symbol>:bars:1m"),
)
MARKET_STATE = _family(  # over a long weekend: closed is known until the next opening
    "market:{SYM}:state", "string", 4 * DAY_S, "market ingestion", "open, halted, crossed, …, closed; and why"
)
OPTION_CHAIN = _family(
    "options:{SYM}:chain",
    "string",
    HOUR_S,
    "chain ingestion",
    "head of the normalized chain: spot, counts",
    older=("options:<symbol>:chain",),
)
OPTION_CALLS = _family(
    "options:{SYM}:calls",
    "string",
    HOUR_S,
    "chain ingestion",
    "calls of the chain",
    older=("options:<symbol>:calls",),
)
OPTION_PUTS = _family(
    "options:{SYM}:puts",
    "string",
    HOUR_S,
    "chain ingestion",
    "puts of the chain",
    older=("options:<symbol>:puts",),
)
OPTION_GREEKS = _family(
    "options:{SYM}:<occ>:greeks",
    "string",
    HOUR_S,
    "chain ingestion",
    "greeks of one contract",
    older=("options:<symbol>:<occ>:greeks",),
)
OPTION_CHAIN_EVENTS = _family("events:options:chain", "channel", None, "chain ingestion", "a chain came")
SENTIMENT = _family(
    "sentiment:{SYM}", "string", DAY_S, "news ingestion", "news sentiment", older=("sentiment:<symbol>",)
)
TECHNICALS = _family(
    "technicals:{SYM}:<indicator>",
    "string",
    DAY_S,
    "technical ingestion",
    "RSI, MACD, BBANDS, ATR",
    older=("technicals:<symbol>:<indicator>",),
)
ANALYTIC = _family(
    "analytics:{SYM}:<analytic>",
    "string",
    15 * MINUTE_S,
    "analytics",
    "one snapshot of one analytic",
    older=("analytics:<symbol>:<analytic>",),
)
ANALYTIC_HISTORY = _family(
    "analytics:{SYM}:<analytic>:history",
    "list",
    DAY_S,
    "analytics",
    "rolling history, restored from the warehouse",
    older=("analytics:<symbol>:<analytic>:history",),
)
PORTFOLIO_ANALYTIC = _family(
    "analytics:portfolio:<rollup>", "string", 15 * MINUTE_S, "analytics", "summary, correlation"
)
SECTOR_ANALYTIC = _family("analytics:sector:<sector>", "string", 15 * MINUTE_S, "analytics", "one sector")
VOLATILITY_REGIME = _family("analytics:volatility:vix1d", "string", 15 * MINUTE_S, "analytics", "regime")
DISCOVERED = _family(
    "discovered:<parameter>", "string", None, "parameter discovery", "bucket sizes, lookbacks, correlations"
)
SIGNALS_PENDING = _family(
    "signals:pending:{SYM}",
    "stream",
    None,
    "signal emission",
    "accepted signals for distribution",
    older=("signals:pending:<symbol>",),
)
SIGNALS_EXECUTION = _family(
    "signals:execution:{SYM}",
    "stream",
    None,
    "signal emission",
    "accepted signals for execution",
    older=("signals:execution:<symbol>",),
)
SIGNAL_LIVE_LOCK = _family(
    "signals:live:{SYM}:<fingerprint>",
    "string",
    DAY_S,
    "signal emission",
    "live lock with its owner's token",
    older=("signals:live:<symbol>:<fingerprint>",),
)
SIGNAL_EMITTED = _family(
    "signals:emitted:{SYM}:<signal_id>",
    "string",
    7 * DAY_S,
    "signal emission",
    "idempotency guard",
    older=("signals:emitted:<signal_id>",),
)
SIGNAL_COOLDOWN = _family(
    "signals:cooldown:{SYM}:<fingerprint>",
    "string",
    DAY_S,
    "signal emission",
    "cooldown clock",
    older=("signals:cooldown:<fingerprint>",),
)
SIGNAL_LAST_CONTRACT = _family(
    "signals:last_contract:{SYM}:<strategy>:<side>:<dte_band>",
    "string",
    7 * DAY_S,
    "signal emission",
    "hysteresis memory",
)
SIGNAL_AUDIT = _family(
    "signals:audit:{SYM}:<fingerprint>",
    "list",
    7 * DAY_S,
    "signal emission",
    "last 50 decisions on a contract",
    older=("signals:audit:<symbol>:<fingerprint>",),
)
SIGNAL_LATEST = _family(
    "signals:latest:{SYM}",
    "string",
    DAY_S,
    "signal emission",
    "latest signal",
    older=("signals:latest:<symbol>",),
)
SIGNAL_ACK = _family("signals:ack:<signal_id>", "string", DAY_S, "distribution", "acknowledgement")
SIGNAL_UPDATES = _family("signals:updates", "channel", None, "signal emission", "blocked and thin updates")
SIGNAL_ACKNOWLEDGED = _family("signals:acknowledged", "channel", None, "distribution", "acknowledgements")
ORDER_PENDING = _family("orders:pending:<order_ref>", "string", 7 * DAY_S, "execution", "a working order")
ORDER_INTENT = _family("orders:intent:<hash>", "string", 7 * DAY_S, "execution", "an intent to order")
ORDER_EMERGENCY = _family("orders:emergency:<ts>", "string", 30 * DAY_S, "risk", "an emergency close")
LOCK = _family("locks:<scope>:<id>", "string", None, "reconciliation", "a refusal of entries")
LOCKS_EPOCH = _family("locks:epoch", "string", None, "reconciliation", "the locks are complete")
POSITION_OPEN = _family(
    "positions:open:<account>:<instrument>", "string", None, "execution", "an open position"
)
POSITIONS_ASKED = _family(
    "positions:asked:<account>", "string", None, "the drain", "when the open positions were asked"
)
ORDERS_ASKED = _family(
    "orders:asked:<account>", "string", None, "the drain", "when the working orders were asked"
)
POSITION_CLOSED = _family(
    "positions:closed:<date>:<account>:<instrument>",
    "string",
    30 * DAY_S,
    "reconciliation",
    "what a session realized in an instrument",
)
POSITIONS_BY_SYMBOL = _family(
    "positions:by_symbol:{SYM}",
    "set",
    None,
    "execution",
    "instruments held in a symbol",
    older=("positions:by_symbol:<symbol>",),
)
POSITION_PNL = _family("positions:pnl:<name>", "string", 7 * DAY_S, "reconciliation", "P&L totals")
RISK_VAR = _family("risk:var", "string", HOUR_S, "risk", "value at risk")
RISK_DRAWDOWN = _family("risk:drawdown", "string", None, "risk", "drawdown")
RISK_GREEKS = _family("risk:greeks", "string", HOUR_S, "risk", "portfolio greeks")
RISK_DAILY_PNL = _family(
    "risk:daily_pnl", "hash", None, "reconciliation", "P&L of the latest session by account"
)
RISK_EMERGENCY = _family("risk:emergency:<name>", "string", None, "risk", "emergency state")
CIRCUIT_BREAKER = _family("circuit_breakers:<name>", "hash", None, "risk", "one breaker")
SYSTEM_HALT = _family("system:halt", "string", None, "risk", "everything stops", older=("system:halted",))
SYMBOL_HALT = _family(
    "system:halt:{SYM}", "string", None, "risk", "the halt fanned out, with an epoch; missing is halted"
)
EXPOSURE = _family(
    "exposure:<strategy>", "hash", None, "signal emission", "reserved caps with owner and expiry"
)
DISTRIBUTION_SCHEDULED = _family(
    "distribution:<tier>:scheduled", "zset", None, "distribution", "what a tier gets, and when"
)
DISTRIBUTION_DEAD_LETTER = _family(
    "distribution:dead_letter", "stream", None, "distribution", "what could not be sent"
)
DISTRIBUTION_EXECUTED = _family("distribution:executed", "stream", None, "execution", "executed trades")
STRATEGY_PERFORMANCE = _family(
    "performance:strategy:<strategy>", "hash", None, "reconciliation", "live win and loss counters"
)
STRATEGY_PNL_SERIES = _family(
    "performance:strategy:<strategy>:pnl_series", "list", None, "reconciliation", "P&L series"
)
SIGNAL_PERFORMANCE = _family(
    "performance:signal:<signal_id>", "string", 7 * DAY_S, "reconciliation", "what became of a signal"
)
METRIC_EMITTED = _family("metrics:signals:emitted", "string", None, "signal emission", "counter")
METRIC_BLOCKED = _family(
    "metrics:signals:blocked:<reason>", "string", None, "signal emission", "counter by reason"
)
METRIC_BLOCKED_BY_VETO = _family(
    "metrics:signals:blocked_by_veto", "hash", None, "signal emission", "counters by veto"
)
METRIC_BLOCKED_BY_REASON = _family(
    "metrics:signals:blocked_by_reason", "hash", None, "signal emission", "counters by reason"
)
METRIC_ACKS = _family("metrics:signals:acks", "string", None, "distribution", "counter")
METRIC_DISTRIBUTED = _family(
    "metrics:signals:distributed:<tier>", "string", None, "distribution", "counter by tier"
)
METRIC_LOOP_ERRORS = _family("metrics:signals:loop_errors", "string", None, "signal emission", "counter")
METRIC_EXECUTION_TIMEOUTS = _family("metrics:execution:timeouts", "string", None, "execution", "counter")
METRIC_EXECUTION_PARTIALS = _family("metrics:execution:partials", "string", None, "execution", "counter")
METRIC_RISK = _family("metrics:risk:<name>", "string", None, "risk", "counter")
METRIC_EMERGENCY = _family("metrics:emergency:<name>", "string", None, "risk", "counter")
HEARTBEAT = _family(
    "health:<component>:heartbeat",
    "string",
    VARIES,
    "the component itself",
    "it lives",
    older=(
        "heartbeat:<component>",
        "module:heartbeat:<component>",
    ),
)
MONITORING_BROKER = _family("monitoring:ibkr:metrics", "hash", None, "market ingestion", "broker feed health")
MONITORING_STALE = _family(
    "monitoring:data:stale", "hash", None, "market ingestion", "feeds that stand still"
)
MONITORING_ALPHA_VANTAGE = _family(
    "monitoring:alpha_vantage:metrics", "hash", None, "chain ingestion", "vendor feed health"
)
MONITORING_VENDOR = _family(
    "monitoring:<vendor>:metrics", "hash", None, "vendors", "budget, refusals and counts of one vendor"
)
VENDOR_REQUESTS = _family(
    "vendors:<vendor>:requests", "hash", 2 * DAY_S, "vendors", "requests by minute, for the daily cap"
)
FEEDS = _family(
    "monitoring:feeds", "hash", DAY_S, "market ingestion, vendors", "how each feed is, with its deadline"
)
MONITORING_OPTIONS = _family(
    "monitoring:options:{SYM}",
    "hash",
    DAY_S,
    "chain ingestion",
    "chain health of a symbol",
    older=("monitoring:options:<symbol>",),
)
MONITORING_SENTIMENT = _family(
    "monitoring:sentiment:{SYM}",
    "hash",
    DAY_S,
    "news ingestion",
    "news health of a symbol",
    older=("monitoring:sentiment:<symbol>",),
)
ALERTS_CRITICAL = _family(
    "alerts:critical",
    "stream",
    None,
    "every component",
    "what a person must see; the code also on the channel of this name",
)
ALERTS_EMERGENCY = _family(
    "alerts:emergency",
    "stream",
    None,
    "every component",
    "what a person must see now; the code also on the channel of this name",
)
ALERT_TOLD = _family(
    "alerts:told:<code>",
    "string",
    5 * MINUTE_S,
    "every component",
    "an alert that is not repeated for a while",
)
ALERTS_CONDITIONS = _family(
    "alerts:conditions", "hash", None, "every component", "what goes on, and what came lately, by code"
)
ALERTS_RESOLVED = _family("alerts:resolved", "stream", None, "every component", "which alerts are over, why")
ALERTS_DRAINED = _family("alerts:drained", "hash", None, "the drains", "the last stored entry of each stream")
ALERTS_EPOCH = _family("alerts:epoch", "string", None, "who watches feeds", "another one: all was lost")
LEASE = _family(
    "lease:<component>:<shard>", "string", None, "the holder", "who works a shard, with a fencing number"
)
OUTBOX = _family(
    "outbox:<topic>:{SYM}", "stream", None, "every component", "events on their way to the warehouse"
)
OUTBOX_JOURNAL = _family(
    "outbox:<topic>:{SYM}:journal",
    "hash",
    None,
    "the outbox's writer",
    "epoch, last sequence, newest fencing number of each component, time of each live value",
)
OUTBOX_APPENDED = _family(
    "outbox:<topic>:{SYM}:appended:<token>", "string", MINUTE_S, "the outbox's writer", "done already"
)
OUTBOX_DONE = _family(
    "outbox:<topic>:{SYM}:done:<source>", "list", HOUR_S, "the outbox's writer", "its newest updates: once"
)
OUTBOX_SYMBOLS = _family(
    "outbox:<topic>:symbols", "set", None, "the outbox's writer", "symbols that have a stream"
)
COMMANDS = _family("commands:<topic>:{SYM}", "stream", None, "the sender", "what a session is told")
COMMAND_FENCING = _family(
    "commands:<topic>:{SYM}:fencing", "hash", None, "the sender", "highest fencing number of each sender"
)
COMMAND_OUTCOME = _family(
    "commands:<topic>:{SYM}:outcome:<command_id>", "string", DAY_S, "the session", "what became of it"
)
ORDER_REF = _family(
    "commands:<topic>:{SYM}:order_ref:<digest>", "string", 30 * DAY_S, "the session", "who sent it: once"
)


SCHEMA: Final = tuple(_FAMILIES)


def alias_of(old_key: str) -> str | None:
    """Return our key for one that older tools print, `*` for what it does not say; None if unknown."""
    for family in SCHEMA:
        for older in family.older:
            parts = read_key(older, old_key)
            if parts is not None:
                return family.matching(
                    **{_OLDER_PARTS.get(name, name): value for name, value in parts.items()}
                )
    return None


def aliases() -> tuple[tuple[str, str], ...]:
    """Return the table old form -> our form."""
    return tuple((older, family.pattern) for family in SCHEMA for older in family.older)


_OLDER_PARTS: Final = {"symbol": "sym"}
