"""THE key schema of Redis: every key's form, type, life and writer. No key is spelled anywhere else.

`{SYM}` is a symbol as hash tag, in braces, so that all keys of one atomic script lie in one slot;
`<name>` is any other part. A life of None means that the key stays; VARIES that its writer says it each
time. Keep out: what is in the values.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from trading.errors import InvalidFieldError

MINUTE_S: Final = 60
HOUR_S: Final = 3_600
DAY_S: Final = 86_400
VARIES: Final = 0
PART_CHARS_MAX: Final = 200
PART_ALLOWED = re.compile(
    r"[^\x00-\x20\x7f:{}*?\[\]\\]+"
)  # a separator or a glob sign in a part would make it another key
LAST_PART_ALLOWED = re.compile(
    r"[^\x00-\x1f\x7f{}*?\[\]\\]+"
)  # the last part may hold colons and blanks: nothing follows it
SLOT = re.compile(r"\{SYM\}|<(\w+)>")


@dataclass(frozen=True, slots=True)
class KeyFamily:
    """All keys of one form."""

    pattern: str
    kind: str
    ttl_s: int | None
    writer: str
    what: str
    older: tuple[str, ...] = ()

    def at(self, **parts: str) -> str:
        """Build a key; `sym` is the symbol. Refuses parts that would change the key's form."""
        names = self.parts
        if set(parts) != set(names):
            raise InvalidFieldError(
                "key", f"the parts {', '.join(names) or 'none'} of {self.pattern}", sorted(parts)
            )
        self._check(parts)
        return SLOT.sub(lambda slot: parts[slot[1]] if slot[1] else "{" + parts["sym"] + "}", self.pattern)

    def matching(self, **parts: str) -> str:
        """Build the glob of all keys with these parts; the parts that are not given match anything."""
        self._check(parts)

        def shown(slot: "re.Match[str]") -> str:
            name = slot[1] or "sym"
            value = parts.get(name, "*")
            return value if slot[1] else "{" + value + "}"

        return SLOT.sub(shown, self.pattern)

    def read(self, key: str) -> dict[str, str] | None:
        """Return a key's parts, or None where it is of another form."""
        return _read(self.pattern, key)

    def _check(self, parts: Mapping[str, str]) -> None:
        last = self.parts[-1] if self.parts and self.pattern.endswith((">", "}")) else ""
        for name, value in parts.items():
            _check_part(self.pattern, name, value, is_last=name == last)

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts, in their order."""
        return tuple(slot[1] or "sym" for slot in SLOT.finditer(self.pattern))


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
    MINUTE_S,
    "market ingestion",
    "last quote",
    older=("market:<symbol>:ticker",),
)
MARKET_BOOK = _family(
    "market:{SYM}:book",
    "string",
    MINUTE_S,
    "market ingestion",
    "depth snapshot",
    older=("market:<symbol>:book",),
)
MARKET_TRADES = _family(
    "market:{SYM}:trades",
    "list",
    HOUR_S,
    "market ingestion",
    "recent prints, bounded",
    older=("market:<symbol>:trades",),
)
MARKET_BARS = _family(
    "market:{SYM}:bars:1m",
    "zset",
    DAY_S,
    "market ingestion",
    "1-minute bars",
    older=("market:<symbol>:bars",),
)
OPTION_CHAIN = _family(
    "options:{SYM}:chain",
    "string",
    10 * MINUTE_S,
    "chain ingestion",
    "normalized chain",
    older=("options:<symbol>:chain",),
)
OPTION_CALLS = _family(
    "options:{SYM}:calls", "string", 10 * MINUTE_S, "chain ingestion", "calls of the chain"
)
OPTION_PUTS = _family("options:{SYM}:puts", "string", 10 * MINUTE_S, "chain ingestion", "puts of the chain")
OPTION_GREEKS = _family(
    "options:{SYM}:<occ>:greeks", "string", 10 * MINUTE_S, "chain ingestion", "greeks of one contract"
)
OPTION_CHAIN_EVENTS = _family("events:options:chain", "channel", None, "chain ingestion", "a chain came")
SENTIMENT = _family("sentiment:{SYM}", "string", HOUR_S, "news ingestion", "news sentiment")
TECHNICALS = _family(
    "technicals:{SYM}:<indicator>", "string", HOUR_S, "technical ingestion", "RSI, MACD, BBANDS, ATR"
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
)
SIGNAL_LATEST = _family("signals:latest:{SYM}", "string", DAY_S, "signal emission", "latest signal")
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
    "positions:by_symbol:{SYM}", "set", None, "execution", "instruments held in a symbol"
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
MONITORING_OPTIONS = _family(
    "monitoring:options:{SYM}", "hash", None, "chain ingestion", "chain health of a symbol"
)
MONITORING_SENTIMENT = _family(
    "monitoring:sentiment:{SYM}", "hash", None, "news ingestion", "news health of a symbol"
)
ALERTS_CRITICAL = _family("alerts:critical", "stream", None, "every component", "what a person must see")
ALERTS_EMERGENCY = _family(
    "alerts:emergency", "stream", None, "every component", "what a person must see now"
)
ALERT_TOLD = _family(
    "alerts:told:<code>",
    "string",
    5 * MINUTE_S,
    "every component",
    "an alert that is not repeated for a while",
)
LEASE = _family(
    "lease:<component>:<shard>", "string", None, "the holder", "who works a shard, with a fencing number"
)
OUTBOX = _family(
    "outbox:<topic>:{SYM}", "stream", None, "every component", "events on their way to the warehouse"
)
OUTBOX_JOURNAL = _family(
    "outbox:<topic>:{SYM}:journal", "hash", None, "the outbox's writer", "epoch and last sequence"
)
OUTBOX_APPENDED = _family(
    "outbox:<topic>:{SYM}:appended:<token>", "string", MINUTE_S, "the outbox's writer", "done already"
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
            parts = _read(older, old_key)
            if parts is not None:
                return family.matching(
                    **{_OLDER_PARTS.get(name, name): value for name, value in parts.items()}
                )
    return None


def aliases() -> tuple[tuple[str, str], ...]:
    """Return the table old form -> our form."""
    return tuple((older, family.pattern) for family in SCHEMA for older in family.older)


_OLDER_PARTS: Final = {"symbol": "sym"}


def _read(pattern: str, key: str) -> dict[str, str] | None:
    names = [slot[1] or "sym" for slot in SLOT.finditer(pattern)]
    texts = SLOT.split(pattern)[::2]
    tagged = [slot[0] == "{SYM}" for slot in SLOT.finditer(pattern)]
    form = re.escape(texts[0])
    for place, text in enumerate(texts[1:]):
        is_last = place == len(names) - 1 and not text
        part = "(.+)" if is_last else "([^:]+)"
        form += (r"\{" + part + r"\}" if tagged[place] else part) + re.escape(text)
    match = re.fullmatch(form, key)
    return dict(zip(names, match.groups(), strict=True)) if match else None


def _check_part(pattern: str, name: str, value: str, *, is_last: bool) -> None:
    allowed = LAST_PART_ALLOWED if is_last else PART_ALLOWED
    if len(value) > PART_CHARS_MAX or not allowed.fullmatch(value):
        raise InvalidFieldError(
            f"{name} of {pattern}", "text without separators, braces and glob signs", value
        )
