"""One account's part of a statement while its rows come in, and the statement that they make.

Trade rows without any id are collected unnamed: their ids need an ordinal among equal rows, which only the
whole answer gives.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby

from adapters.ibkr.flex_notices import Notices
from adapters.ibkr.flex_rows import FlexRow
from adapters.ibkr.flex_trades import UNNAMED, TradeReading
from adapters.ibkr.refusal import dead_letter
from trading.errors import InvalidFieldError
from trading.model.fills import (
    CommissionFact,
    CoverageInterval,
    FillBatch,
    FillRevision,
    RejectedRow,
    Source,
    Venue,
)
from trading.model.ids import ordinals, synthetic_fill_id
from trading.model.statements import BrokerStatement, StatementKind, StatementRow
from trading.model.times import NEW_YORK

STATEMENT_CUT_OFF = time(20, 20)  # New York; a statement's day ends here and the next one's begins


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementFrame:
    """What a file and its statement say about all of their rows."""

    origin: str
    sha256: str
    kind: StatementKind
    source: Source
    query_name: str
    account: str
    from_date: date
    to_date: date
    generated_at: datetime | None


@dataclass(slots=True)
class AccountRows:
    """What was read for one account so far; `values` are the section values by the statement's field name."""

    account: str
    trades: list[TradeReading] = field(default_factory=list)
    unnamed: list[TradeReading] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)
    values: dict[str, list[object]] = field(default_factory=dict)
    base_currency: str | None = None

    def add_trade(self, reading: TradeReading) -> None:
        """Take a trade row."""
        (self.unnamed if reading.fill.fill_id == UNNAMED else self.trades).append(reading)

    def add_value(self, name: str, value: object) -> None:
        """Take a value of a section."""
        self.values.setdefault(name, []).append(value)

    def keep(self, row: FlexRow) -> None:
        """Keep a row that no reader is there for."""
        self.add_value("other_rows", StatementRow(section=row.section, tag=row.tag, raw=row.raw))


def finished_statement(
    frame: StatementFrame, rows: AccountRows, sections: tuple[str, ...], notices: Notices, *, covers: bool
) -> BrokerStatement:
    """Make the statement of one account; `covers` says whether it told all trades of its days."""
    named = [*rows.trades, *_named(rows)]
    fills = tuple(reading.fill for reading in named)
    batch = FillBatch(
        venue=Venue.IBKR,
        source=frame.source,
        origin=frame.origin,
        fills=fills,
        commissions=tuple(fee for reading in named for fee in reading.fees),
        rejected=tuple(rows.rejected),
        coverage=(_coverage(frame, rows.account),) if covers else (),
        warnings=(*notices.warnings(), *_repeated_executions(fills)),
    )
    values = {name: tuple(listed) for name, listed in rows.values.items()}
    return BrokerStatement(
        venue=Venue.IBKR,
        account=rows.account,
        kind=frame.kind,
        query_name=frame.query_name,
        from_date=frame.from_date,
        to_date=frame.to_date,
        generated_at=frame.generated_at,
        base_currency=rows.base_currency,
        sha256=frame.sha256,
        batch=batch,
        sections=sections,
        unknown_fields=tuple(notices.unknown),
        **values,  # type: ignore[arg-type]
    )


def _named(rows: AccountRows) -> list[TradeReading]:
    keys = [(_tuple_of(reading.fill), reading.fill.raw) for reading in rows.unnamed]
    named = []
    for reading, ordinal in zip(rows.unnamed, ordinals(keys), strict=True):
        try:
            named.append(_with_id(reading, ordinal))
        except InvalidFieldError as error:
            rows.rejected.append(
                dead_letter(reading.fill.source, error, reading.fill.raw, account=reading.fill.account)
            )
    return named


def _tuple_of(fill: FillRevision) -> tuple[object, ...]:
    return (_order_of(fill), fill.side, fill.quantity, fill.price, fill.fill_ts)


def _order_of(fill: FillRevision) -> str:
    """What ties equal rows together: nobody ordered a booking, so its trade may have to stand in."""
    return fill.order_id or fill.trade_id


def _with_id(reading: TradeReading, ordinal: int) -> TradeReading:
    fill = reading.fill
    fill_id = synthetic_fill_id(
        venue=fill.venue,
        account=fill.account,
        order_id=_order_of(fill),
        side=fill.side,
        quantity=fill.quantity,
        price=fill.price,
        venue_ts=fill.fill_ts,
        ordinal=ordinal,
    )
    fees = tuple(_fee_with_id(fee, fill_id) for fee in reading.fees)
    return TradeReading(replace(fill, fill_id=fill_id), fees)


def _fee_with_id(fee: CommissionFact, fill_id: str) -> CommissionFact:
    key = fill_id + fee.commission_key.removeprefix(UNNAMED)
    return replace(fee, fill_id=fill_id, commission_key=key)


def _coverage(frame: StatementFrame, account: str) -> CoverageInterval:
    """From cut-off to cut-off; not beyond the moment the statement was made."""
    start = _cut_off(frame.from_date - timedelta(days=1))
    end = _cut_off(frame.to_date)
    if frame.generated_at is not None:
        end = max(start, min(end, frame.generated_at))
    return CoverageInterval(venue=Venue.IBKR, account=account, source=frame.source, start=start, end=end)


def _cut_off(day: date) -> datetime:
    return datetime.combine(day, STATEMENT_CUT_OFF, tzinfo=NEW_YORK).astimezone(UTC)


def _repeated_executions(fills: tuple[FillRevision, ...]) -> list[str]:
    """Warn when one execution id stands on rows with different row ids: their fees would be taken for one."""
    by_id = sorted((fill.exec_id, fill.transaction_id) for fill in fills if fill.exec_id)
    repeated = []
    for exec_id, group in groupby(by_id, key=lambda pair: pair[0]):
        if len({transaction_id for _, transaction_id in group}) > 1:
            repeated.append(f"execution {exec_id} stands on rows with different transaction ids")
    return repeated
