"""Corporate actions: quantities and basis change in place or move to the new contract, and nothing realizes.

A statement tells changes of quantity: one row (+300 on 100 held) for a split, two rows under one action id
(all of the old contract out, the new one in) for a rename or an adjusted contract. The ratio is what follows
from what we hold.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal, localcontext

from trading.model.instruments import Instrument
from trading.model.money import EXACT, PRICE_PLACES, ZERO
from trading.model.statements import CorporateAction
from trading.pnl.book import HeldContract, Lot
from trading.pnl.ledger import Ledger

QUANTITY_UNIT = Decimal(1).scaleb(-PRICE_PLACES)


def apply_actions(ledger: Ledger, actions: Iterable[CorporateAction]) -> None:
    """Apply a session's corporate actions to the open lots, grouped by action id."""
    groups: dict[str, list[CorporateAction]] = {}
    for place, action in enumerate(actions):
        groups.setdefault(action.action_id or f"row:{place}", []).append(action)
    for group in groups.values():
        _apply_group(ledger, group)


def _apply_group(ledger: Ledger, group: Sequence[CorporateAction]) -> None:
    outgoing = [row for row in group if row.quantity and ledger.position(_key(row)) == -row.quantity]
    incoming = [row for row in group if row not in outgoing and row.quantity]
    if len(outgoing) == 1 and len(incoming) == 1 and _key(outgoing[0]) != _key(incoming[0]):
        _move(ledger, outgoing[0], incoming[0])
        return
    for row in incoming:
        _resize(ledger, row)


def _resize(ledger: Ledger, row: CorporateAction) -> None:
    held = ledger.position(_key(row))
    if held == 0:
        return  # we hold nothing of it: the position will differ from the broker's, and a break says so
    lots = ledger.instrument_lots(_key(row))
    ledger.replace_lots(_key(row), _scaled(lots, held, held + row.quantity))


def _move(ledger: Ledger, outgoing: CorporateAction, incoming: CorporateAction) -> None:
    lots = ledger.instrument_lots(_key(outgoing))
    contract = _renamed(lots[0].contract, incoming.instrument, incoming.conid)
    moved = [replace(lot, contract=contract) for lot in _scaled(lots, -outgoing.quantity, incoming.quantity)]
    ledger.replace_lots(_key(outgoing), ())
    ledger.replace_lots(_key(incoming), (*ledger.instrument_lots(_key(incoming)), *moved))


def _scaled(lots: Sequence[Lot], before: Decimal, after: Decimal) -> list[Lot]:
    """Scale each lot by after / before; the last takes the remainder, so that the position is exactly
    `after`.
    """
    scaled: list[Lot] = []
    rest = after
    for lot in lots:
        with localcontext(EXACT):
            quantity = (lot.signed_quantity * after / before).quantize(QUANTITY_UNIT)
        quantity = rest if lot is lots[-1] else quantity
        rest -= quantity
        scaled.append(_resized(lot, abs(quantity)))
    return [lot for lot in scaled if lot.open_quantity > ZERO]


def _resized(lot: Lot, quantity: Decimal) -> Lot:
    """The open part as a whole lot of another quantity: money stays, the shown price follows."""
    left = lot.left
    with localcontext(EXACT):
        price = (lot.open_price * left.quantity / quantity).quantize(QUANTITY_UNIT) if quantity else ZERO
    return replace(lot, parcel=replace(left, quantity=quantity), closed=ZERO, open_price=price)


def _renamed(contract: HeldContract, instrument: Instrument, conid: int | None) -> HeldContract:
    return replace(
        contract,
        instrument_id=instrument.instrument_id,
        conid=conid,
        symbol=instrument.symbol,
        underlying=instrument.underlying,
        multiplier=Decimal(instrument.contract_size),
    )


def _key(row: CorporateAction) -> str:
    return row.instrument.instrument_id
