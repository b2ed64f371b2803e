"""The rules about the fills, statements, P&L and breaks, each a query that great-expectations expects to find
nothing.

A rule blocks where wrong data would reach P&L. `{batch}` in a query is the examined rows. Rules about
models stand beside the models, as their tests.
"""

from dataclasses import dataclass

from trading.ports.model_runner import Severity, TableName
from trading.ports.quality import QualityRule

FILLS = TableName(database="core", table="fills")
REVISIONS = TableName(database="core", table="fill_revisions")
STATEMENTS = TableName(database="core", table="broker_statements")
MATCHES = TableName(database="core", table="lot_matches")
PNL = TableName(database="core", table="pnl_daily")
BREAKS = TableName(database="core", table="breaks")
SIGN_OFFS = TableName(database="core", table="sign_offs")
SESSION_COLUMNS = {STATEMENTS: "to_date"}  # all others have `session`
FEE_PER_CONTRACT_MAX = 15  # of options and futures, exchange and regulatory fees included
REBATE_PER_CONTRACT_MAX = 2
CLUSTER_FROM_FILLS = 5  # two orders may well fill in one second; five at one moment are a stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """A rule with the query that must find no row."""

    rule: QualityRule
    query: str


def _unique(name: str, table: TableName, columns: tuple[str, ...], about: str) -> Expectation:
    """Each of the rows that are there more than once."""
    key = ", ".join(columns)
    query = (
        f"select {key} from (select {key}, count() as copies from {{batch}} group by {key} "
        "having copies > 1) array join range(copies) as copy"
    )
    return _no_rows(name, table, query, about, blocking=True)


def _no_rows(
    name: str, table: TableName, query: str, about: str, *, blocking: bool = False, warn: bool = False
) -> Expectation:
    severity = Severity.WARN if warn else Severity.ERROR
    rule = QualityRule(name=name, table=table, about=about, severity=severity, blocking=blocking)
    return Expectation(rule=rule, query=query)


def _not_null(name: str, table: TableName, column: str, about: str) -> Expectation:
    query = f"select {column} from {{batch}} where {column} is null"
    return _no_rows(name, table, query, about, blocking=True)


EXPECTATIONS: tuple[Expectation, ...] = (
    _unique(
        "fills_are_unique", FILLS, ("venue", "account", "fill_id"), "A fill is in the warehouse exactly once."
    ),
    _no_rows(
        "fill_ids_are_not_blank",
        FILLS,
        "select venue, account, fill_id from {batch} where trim(fill_id) = ''",
        "A fill id is never blank.",
        blocking=True,
    ),
    _not_null("fill_times_are_there", FILLS, "fill_ts", "A fill has the venue's own time."),
    _no_rows(
        "fill_times_are_not_in_the_future",
        FILLS,
        "select venue, account, fill_id, fill_ts, received_at from {batch} where fill_ts > "
        "received_at + interval 1 day",
        "A fill did not happen after it reached us.",
        blocking=True,
    ),
    _no_rows(
        "fill_times_are_not_the_clock_of_ingestion",
        FILLS,
        "select venue, account, toStartOfSecond(fill_ts) as second, uniqExact(order_id) as orders "
        "from {batch} "
        "where kind = 'trade' and source != 'backfill' and abs(dateDiff('second', fill_ts, ingested_at)) < 2 "
        f"group by venue, account, second having orders >= {CLUSTER_FROM_FILLS}",
        "Many orders filled in the second of their ingestion carry the machine's clock, not the venue's.",
        warn=True,
    ),
    _no_rows(
        "fill_times_lie_near_their_session",
        FILLS,
        "select venue, account, fill_id, session, fill_ts from {batch} "
        "where abs(dateDiff('day', toDate(fill_ts, 'America/New_York'), session)) > 5",
        "A fill lies in its session or in the closed days beside it.",
        warn=True,
    ),
    _no_rows(
        "quantities_are_above_zero",
        FILLS,
        "select venue, account, fill_id, quantity from {batch} where quantity < 0 or (quantity = 0 "
        "and not busted)",
        "A quantity is above zero, but for a bust.",
        blocking=True,
    ),
    _no_rows(
        "prices_of_zero_are_bookings",
        FILLS,
        "select venue, account, fill_id, price, kind from {batch} where price = 0 and kind = 'trade' "
        "and not busted",
        "Only a booking (expiry, exercise, assignment) has a price of zero.",
        warn=True,
    ),
    _no_rows(
        "multipliers_are_above_zero",
        FILLS,
        "select venue, account, fill_id, multiplier from {batch} where multiplier <= 0",
        "A contract has a multiplier.",
        blocking=True,
    ),
    _no_rows(
        "commissions_are_within_the_schedule",
        FILLS,
        "select venue, account, fill_id, quantity, fee from {batch} "
        "where asset_class in ('option', 'future') and quantity > 0 "
        f"and (fee > {FEE_PER_CONTRACT_MAX} * greatest(quantity, 1) "
        f"or fee < -{REBATE_PER_CONTRACT_MAX} * greatest(quantity, 1))",
        "A contract costs no more than the dearest schedule asks, and brings no more than a rebate.",
        warn=True,
    ),
    _no_rows(
        "revisions_are_stored_once",
        REVISIONS,
        "select venue, account, session, fill_id, revision, source, content_hash, count() as copies "
        "from {batch} "
        "group by venue, account, session, fill_id, revision, source, content_hash having copies > 1",
        "A version is stored once; before a merge repeats may lie there, and the view does not see them.",
        warn=True,
    ),
    _no_rows(
        "revisions_name_their_contract",
        REVISIONS,
        "select venue, account, fill_id, instrument_id from {batch} where trim(instrument_id) = ''",
        "Each version names its contract.",
        blocking=True,
    ),
    _no_rows(
        "statements_end_after_they_begin",
        STATEMENTS,
        "select venue, account, statement_id, from_date, to_date from {batch} where to_date < from_date",
        "A statement ends on or after the day it begins.",
        blocking=True,
    ),
    _unique(
        "matches_are_unique",
        MATCHES,
        ("venue", "account", "match_id"),
        "A part of an opening is closed once.",
    ),
    _no_rows(
        "matches_close_known_fills",
        MATCHES,
        "select match_id, close_fill_id from {batch} where kind = 'trade' and close_fill_id not in "
        "(select fill_id from core.fills)",
        "What closes a lot is a fill that is there.",
        blocking=True,
    ),
    _no_rows(
        "matches_open_known_fills",
        MATCHES,
        "select match_id, open_fill_id from {batch} where open_fill_id != '' and open_fill_id not in "
        "(select fill_id from core.fills)",
        "What a match closes was opened by a fill that is there, or by an imported lot.",
        blocking=True,
    ),
    _no_rows(
        "matched_pnl_is_net_of_fees",
        MATCHES,
        "select match_id, gross_realized, open_fee, close_fee, realized from {batch} "
        "where realized != gross_realized - open_fee - close_fee and premium_moved = 0",
        "Realized P&L is gross P&L less the fees of both sides.",
        blocking=True,
    ),
    _unique(
        "pnl_rows_are_unique",
        PNL,
        ("venue", "account", "session", "instrument_id", "strategy"),
        "One row of P&L for each account, session, contract and strategy.",
    ),
    _no_rows(
        "pnl_adds_up",
        PNL,
        "select day.venue, day.account, day.session, day.currency, day.realized as daily, "
        "parts.realized as matched "
        "from (select venue, account, session, currency, sum(realized) as realized from {batch} "
        "group by venue, account, session, currency) as day "
        "left join (select venue, account, session, currency, sum(realized) as realized from "
        "core.lot_matches "
        "group by venue, account, session, currency) as parts "
        "using (venue, account, session, currency) where day.realized != parts.realized",
        "The P&L of a session is the sum of what was closed in it.",
        blocking=True,
    ),
    _no_rows(
        "no_break_is_open",
        BREAKS,
        "select break_id, venue, account, session, kind, instrument_id, difference from {batch} "
        "where state = 'open'",
        "Every difference from the broker is explained or closed.",
    ),
    _no_rows(
        "statements_have_arrived",
        SIGN_OFFS,
        "select venue, account, session, state from {batch} "
        "where state = 'awaiting_statement' and venue = 'ibkr'",
        "A session without the broker's word claims no P&L: its statement is late or was refused.",
        warn=True,
    ),
)

RULES: tuple[QualityRule, ...] = tuple(item.rule for item in EXPECTATIONS)
