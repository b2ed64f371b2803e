"""The word of a venue that makes no statement (Kalshi, Kraken): what its fills and positions end points told.

Positions are asked at some moment of a day that has begun: what was traded since the session ended is taken
off again, by every fill that anybody told, so that the evening is compared with the evening. The word is
final only where it can prove something:

- the venue's own list of fills is there (its REST answers), or nothing was traded at all; positions alone
  would sign off a day whose fees nobody compared;
- no fill lies within QUIET of the question; then nobody can say whether the answer knows it.

Else the session is provisional, and a later answer of the same evening can make it final. A fill between the
evening and the question that is not known here shows as a position break, as it must, and is gone with the
next check after the fill came. The venue's average price is not FIFO and its balance is of another moment:
cost basis, marks and cash are not compared.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from trading.calendar import next_session
from trading.model.fills import Fill, Source, Venue
from trading.model.money import ZERO
from trading.model.statements import DetailLevel, StatementPosition
from trading.pnl.book import instrument_id_of
from trading.ports.statement_store import NEVER, StatementHeader
from trading.reconciliation.breaks import Pass
from trading.reconciliation.records import BrokerRecord, Told, standing_fills
from trading.services.session_facts import SessionFacts

VENUES = frozenset({Venue.KALSHI, Venue.KRAKEN})
TOLD_BY_VENUE = frozenset({Source.BACKFILL, Source.STATEMENT})
QUIET = timedelta(seconds=10)  # until a fill is in a venue's answers


def venue_word(facts: SessionFacts, session: date, header: StatementHeader, told: Told) -> BrokerRecord:
    """What the venue says of the session that `header` is about."""
    fills = standing_fills(told, TOLD_BY_VENUE)
    asked_at = header.generated_at or NEVER
    since = facts.fills([next_session(session)])
    is_whole = bool(fills) or not facts.fills([session])
    is_quiet = all(abs(fill.revision.fill_ts - asked_at) >= QUIET for fill in since)
    positions = facts.positions.get(header.to_date)
    return BrokerRecord(
        venue=facts.whose.venue,
        account=facts.whose.account,
        session=session,
        made_in=Pass.FINAL if is_whole and is_quiet else Pass.PROVISIONAL,
        fills=fills,
        positions=None if positions is None else at_the_evening(positions, since, asked_at, header.to_date),
        period_start=header.from_date,
        rates_to_base={header.base_currency: Decimal(1)} if header.base_currency else {},
        statement_sha256=header.sha256,
    )


def at_the_evening(
    positions: Sequence[StatementPosition], since: Iterable[Fill], asked_at: datetime, evening: date
) -> Sequence[StatementPosition]:
    """The positions without what was traded between the evening and the question."""
    traded: dict[str, list[Fill]] = {}
    for fill in since:
        if fill.revision.fill_ts <= asked_at and fill.revision.quantity:
            traded.setdefault(instrument_id_of(fill), []).append(fill)
    held: Mapping[str, StatementPosition] = {row.instrument.instrument_id: row for row in positions}
    found = dict(held)
    for instrument_id, fills in traded.items():
        row = held.get(instrument_id) or _nothing_of(fills[0], evening)
        moved = sum((fill.revision.signed_quantity for fill in fills), ZERO)
        found[instrument_id] = replace(row, quantity=row.quantity - moved)
    return [row for row in found.values() if row.quantity]


def _nothing_of(fill: Fill, evening: date) -> StatementPosition:
    revision = fill.revision
    return StatementPosition(
        account=revision.account,
        report_date=evening,
        instrument=revision.instrument,
        conid=revision.conid,
        level=DetailLevel.SUMMARY,
        quantity=ZERO,
        multiplier=revision.multiplier,
        currency=revision.currency,
        mark_price=None,
        cost_basis=None,
    )
