"""Rewrite the live state to the broker's truth after a check: closed positions, daily P&L, locks.

All of it can be rebuilt from the warehouse, so it is written last and whole. A position that only the broker
realized is marked as a placeholder: views leave it out.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from trading.model.fills import Fill
from trading.model.money import ZERO
from trading.pnl.book import LotMatch, SessionResult
from trading.ports.break_store import BreakStore
from trading.ports.live_state import AccountDailyPnl, ClosedPosition, LiveState
from trading.ports.pnl_store import PnlRun
from trading.reconciliation.breaks import Pass
from trading.reconciliation.locks import live_locks
from trading.reconciliation.records import BrokerRecord


def rewrite_live_state(
    live_state: LiveState,
    theirs: BrokerRecord | None,
    result: SessionResult | None,
    run: PnlRun | None,
    now: datetime,
) -> None:
    """Put what one session came to."""
    if theirs is not None and result is not None:
        live_state.put_closed_positions(theirs.account, theirs.session, closed_positions(theirs, result))
        daily = daily_pnl(theirs, result, run, now)
        if daily is not None:
            live_state.put_daily_pnl(daily)


def rebuild_locks(live_state: LiveState, breaks: BreakStore, now: datetime) -> int:
    """Make the live locks those of the warehouse, and return how many there are; a flushed Redis gets them
    back.
    """
    locks = live_locks(breaks.locks())
    live_state.rebuild_locks(locks, now.isoformat())
    return len(locks)


def closed_positions(theirs: BrokerRecord, result: SessionResult) -> Sequence[ClosedPosition]:
    """What the session realized by contract: the broker's figure where the final statement tells it, else
    ours.
    """
    ours: dict[str, list[LotMatch]] = {}
    for match in result.matches:
        ours.setdefault(match.contract.instrument_id, []).append(match)
    told = _told_realized(theirs)
    positions = [_closed(theirs, group, told.get(key)) for key, group in sorted(ours.items())]
    placeholders = [
        ClosedPosition(
            account=theirs.account,
            session=theirs.session,
            instrument=_key(fill.revision.conid, key),
            symbol=fill.revision.instrument.symbol,
            currency=fill.revision.currency,
            realized=told[key],
            fees=ZERO,
            quantity_closed=ZERO,
            closed_at=fill.revision.fill_ts,
            placeholder=True,
        )
        for key, fill in _first_fills(theirs).items()
        if key in told and told[key] and key not in ours
    ]
    return [*positions, *placeholders]


def daily_pnl(
    theirs: BrokerRecord, result: SessionResult, run: PnlRun | None, now: datetime
) -> AccountDailyPnl | None:
    """The account's P&L of the session in base currency; None where some rate is not known."""
    base = run.base_currency if run else ""
    rates = {base: Decimal(1), **theirs.rates_to_base}
    currencies = {row.contract.currency for row in result.daily}
    if not base or not currencies <= rates.keys():
        return None
    realized = sum((row.realized * rates[row.contract.currency] for row in result.daily), ZERO)
    fees = sum((row.fees * rates[row.contract.currency] for row in result.daily), ZERO)
    unrealized = [
        None if row.unrealized is None else row.unrealized * rates[row.contract.currency]
        for row in result.daily
    ]
    return AccountDailyPnl(
        account=theirs.account,
        session=theirs.session,
        base_currency=base,
        realized=realized,
        fees=fees,
        unrealized=None
        if None in unrealized
        else sum((item for item in unrealized if item is not None), ZERO),
        computed_at=run.computed_at if run else now,
    )


def _closed(theirs: BrokerRecord, group: Sequence[LotMatch], told: Decimal | None) -> ClosedPosition:
    first = group[0]
    ours = sum((match.realized for match in group), ZERO)
    return ClosedPosition(
        account=theirs.account,
        session=theirs.session,
        instrument=_key(first.contract.conid, first.contract.instrument_id),
        symbol=first.contract.symbol,
        currency=first.contract.currency,
        realized=ours if told is None else told,
        fees=sum((match.open_fee + match.close_fee for match in group), ZERO),
        quantity_closed=sum((match.quantity for match in group), ZERO),
        closed_at=max(match.close_ts for match in group),
    )


def _told_realized(theirs: BrokerRecord) -> Mapping[str, Decimal]:
    told: dict[str, Decimal] = {}
    for fill in theirs.fills if theirs.made_in is Pass.FINAL else ():
        figure = fill.revision.broker_realized
        if figure is not None:
            key = fill.revision.instrument.instrument_id
            told[key] = told.get(key, ZERO) + figure
    return told


def _first_fills(theirs: BrokerRecord) -> Mapping[str, Fill]:
    first: dict[str, Fill] = {}
    for fill in theirs.fills:
        first.setdefault(fill.revision.instrument.instrument_id, fill)
    return first


def _key(conid: int | None, instrument_id: str) -> str:
    return instrument_id if conid is None else str(conid)
