"""Cash by currency over the statement's period, and the one cause that a cash report can prove.

A fee is listed with a trade in one currency and may be debited in another: one currency then ends lower than
our ledger and another higher. The cash report says how much commission it took per currency; the listed
commissions say how much there should be. Where those gaps equal the cash differences, the pair is explained,
and its amounts are the report's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from trading.model.fills import Fill
from trading.model.instruments import CurrencyPair
from trading.model.money import ZERO, canonical
from trading.model.statements import CashBalance
from trading.reconciliation.breaks import Break, BreakKind, Unit
from trading.reconciliation.records import BrokerRecord, OurRecord

DEBITED_ELSEWHERE = "commission_debited_in_another_currency"
COMMISSIONS_LINE = "commissions"
BASE_SUMMARY = "BASE_SUMMARY"
MONEY_PLACES_AGREED = Decimal("0.0000005")  # the report shows eight decimals, the ledger nine
SEARCHED_MAX = 32  # conversions among which the debited ones are looked for: 2 x 2^16 sums


def compare_cash(ours: OurRecord, theirs: BrokerRecord, bar: Decimal) -> list[Break]:
    """Return a break per currency whose movement differs, with its cause where the cash report proves it."""
    report = {row.currency: row for row in theirs.cash or () if row.currency != BASE_SUMMARY}
    found = [
        _cash_break(theirs, currency, ours.cash_moved.get(currency, ZERO), report.get(currency))
        for currency in sorted(report.keys() | ours.cash_moved.keys())
    ]
    found = [item for item in found if abs(item.difference) >= bar]
    gaps = commission_gaps(ours.period_fills, report.values())
    return [_explained(item, gaps, ours.period_fills) if _is_gap(item, gaps) else item for item in found]


def commission_gaps(fills: Iterable[Fill], report: Iterable[CashBalance]) -> Mapping[str, Decimal]:
    """By currency: commissions that the cash report took minus those listed with the fills (a cost is
    positive).
    """
    gaps: dict[str, Decimal] = {}
    for row in report:
        taken = dict(row.lines).get(COMMISSIONS_LINE)
        if taken is not None:
            gaps[row.currency] = -taken
    for fill in fills:
        for currency, fee in fill.fees.items():
            if currency in gaps:
                gaps[currency] -= fee
    return {currency: gap for currency, gap in gaps.items() if gap != 0}


def _cash_break(theirs: BrokerRecord, currency: str, moved: Decimal, row: CashBalance | None) -> Break:
    starting = row.starting if row else ZERO
    ending = row.ending if row else ZERO
    return Break(
        venue=theirs.venue,
        account=theirs.account,
        session=theirs.session,
        kind=BreakKind.CASH,
        currency=currency,
        unit=Unit.MONEY,
        ours=starting + moved,
        theirs=ending,
        difference=starting + moved - ending,
    )


def _is_gap(item: Break, gaps: Mapping[str, Decimal]) -> bool:
    """The difference is the commission gap of its currency, and another currency has a gap the other way."""
    gap = gaps.get(item.currency, ZERO)
    return abs(item.difference - gap) < MONEY_PLACES_AGREED and any(
        gap * other < 0 for other in gaps.values()
    )


def _explained(item: Break, gaps: Mapping[str, Decimal], fills: Iterable[Fill]) -> Break:
    others = ", ".join(
        f"{canonical(gap)} {currency}" for currency, gap in sorted(gaps.items()) if gap * item.difference < 0
    )
    verb = "more" if item.difference > 0 else "less"
    note = (
        f"the cash report took {canonical(abs(item.difference))} {item.currency} {verb} commission than"
        f" the trades list in it, against {others}: listed in one currency, debited in another"
    )
    debited = debited_elsewhere(fills, item.currency, -item.difference) if item.difference < 0 else ()
    if debited:
        note += f"; {len(debited)} conversions add up to it"
    return replace(item, cause=DEBITED_ELSEWHERE, note=note, evidence=debited)


def debited_elsewhere(fills: Iterable[Fill], listed_in: str, amount: Decimal) -> tuple[str, ...]:
    """Find the conversions whose fees, listed in a currency that the pair's quote is not, add up to the
    amount.

    An exact subset sum, met in the middle; of several answers (equal fees) the first by time. Empty where
    there is none or where there are more than SEARCHED_MAX to search among: then the amounts stand without
    the list.
    """
    listed = [fill for fill in fills if _listed_elsewhere(fill, listed_in)]
    listed.sort(key=lambda fill: (fill.fifo_ts, fill.fifo_key))
    if not 0 < len(listed) <= SEARCHED_MAX:
        return ()
    fees = [fill.fees[listed_in] for fill in listed]
    half = len(listed) // 2
    left = _subset_sums(fees[:half])
    for right_sum, mask in _subset_sums(fees[half:]).items():
        other = left.get(amount - right_sum)
        if other is not None:
            chosen = other | mask << half
            return tuple(fill.revision.fill_id for place, fill in enumerate(listed) if chosen >> place & 1)
    return ()


def _listed_elsewhere(fill: Fill, currency: str) -> bool:
    instrument = fill.revision.instrument
    return (
        isinstance(instrument, CurrencyPair)
        and instrument.quote != currency
        and bool(fill.fees.get(currency))
    )


def _subset_sums(fees: Sequence[Decimal]) -> dict[Decimal, int]:
    sums: dict[Decimal, int] = {ZERO: 0}
    for place, fee in enumerate(fees):
        for total, mask in list(sums.items()):
            sums.setdefault(total + fee, mask | 1 << place)
    return sums
