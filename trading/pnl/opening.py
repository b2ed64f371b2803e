"""Lots that are older than the first file, as a person imported them: part of the book, never fills."""

from datetime import date
from decimal import Decimal, localcontext
from hashlib import sha256

from trading.model.money import EXACT, PRICE_PLACES, canonical
from trading.pnl.book import UNATTRIBUTED, Direction, HeldContract, Lot, Origin
from trading.pnl.parcels import Parcel
from trading.ports.statement_store import OpeningLot

BROKER_COST = "broker_cost:"  # begins the origin of a lot whose basis is the broker's cost at its closing


def lot_of(told: OpeningLot, session: date, place: int = 0) -> Lot:
    """Turn an imported lot (`place` tells equal ones apart) into an open lot; its whole cost basis is its
    value, because fees are in it.
    """
    with localcontext(EXACT):
        quantity = abs(told.quantity)
        value = abs(told.cost_basis)
        price = (value / (quantity * told.multiplier)).quantize(Decimal(1).scaleb(-PRICE_PLACES))
    return Lot(
        lot_id=_lot_id(told, place),
        contract=HeldContract(
            instrument_id=told.instrument.instrument_id,
            conid=told.conid,
            symbol=told.instrument.symbol,
            underlying=told.instrument.underlying,
            asset_class=told.instrument.asset_class,
            currency=told.currency,
            multiplier=told.multiplier,
        ),
        strategy=UNATTRIBUTED,
        direction=Direction.LONG if told.quantity > 0 else Direction.SHORT,
        parcel=Parcel(quantity=quantity, value=value),
        open_price=price,
        open_fill_id="",
        open_ts=told.open_ts,
        open_session=session,
        origin=Origin.BROKER_COST if told.origin.startswith(BROKER_COST) else Origin.OPENING_LOT,
    )


def _lot_id(told: OpeningLot, place: int) -> str:
    parts = (
        told.instrument.instrument_id,
        told.open_ts.isoformat(),
        canonical(told.quantity),
        canonical(told.cost_basis),
        told.origin,
        str(place),
    )
    return "opening:" + sha256("\x1f".join(parts).encode()).hexdigest()[:20]
