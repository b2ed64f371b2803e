"""Cash by currency: what each fill, fee and cash flow moves, as entries with a running balance.

Options, shares and events move their price when they trade; futures and perpetuals move nothing until they
realize. A conversion moves two currencies and holds no position. A short event contract is a bought NO: it
costs 1 - p.
"""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation

from trading.model.fills import Fill
from trading.model.instruments import CurrencyPair
from trading.model.money import ZERO
from trading.model.statements import CashFlow, CorporateAction
from trading.pnl.book import CashEntry, LotMatch, held_contract, instrument_id_of
from trading.pnl.parcels import worth

ROUNDING = Decimal(1).scaleb(-8)  # statements show price and quantity of a conversion with eight decimals
SETTLED_AT_CLOSE = ("future", "perpetual")
OPENING, TRADE, CONVERSION, FEE, REALIZED, COLLATERAL, CORPORATE_ACTION = (
    "opening",
    "trade",
    "conversion",
    "fee",
    "realized",
    "collateral",
    "corporate_action",
)


class CashBook:
    """Balances under work within one session."""

    def __init__(self, balances: Mapping[str, Decimal]) -> None:
        self.balances = dict(balances)
        self.entries: list[CashEntry] = []

    def post(
        self,
        entry_id: str,
        currency: str,
        kind: str,
        amount: Decimal,
        *,
        instrument_id: str = "",
        fill_id: str = "",
        description: str = "",
    ) -> None:
        """Add one entry; nothing is written for zero."""
        if amount == 0:
            return
        self.balances[currency] = self.balances.get(currency, ZERO) + amount
        entry = CashEntry(
            entry_id=entry_id,
            currency=currency,
            kind=kind,
            amount=amount,
            balance=self.balances[currency],
            instrument_id=instrument_id,
            fill_id=fill_id,
            description=description,
        )
        self.entries.append(entry)

    def open_with(self, balances: Mapping[str, Decimal]) -> None:
        """Start from the balances that the first statement tells."""
        for currency, amount in sorted(balances.items()):
            self.post(f"opening:{currency}", currency, OPENING, amount)

    def post_fill(self, fill: Fill, matches: Iterable[LotMatch], short_change: Decimal) -> None:
        """Post what a fill moves; `short_change` is by how much the instrument's short position grew."""
        for kind, currency, amount in _movements(fill, matches, short_change):
            self._post_of(fill, kind, currency, amount)
        for currency, fee in sorted(fill.fees.items()):
            self._post_of(fill, FEE, currency, -fee)

    def post_flow(self, flow: CashFlow, place: int) -> None:
        """Post a cash transaction that is no trade."""
        entry_id = f"flow:{flow.transaction_id or place}"
        self.post(entry_id, flow.currency, flow.kind, flow.amount, description=flow.description)

    def post_corporate_action(self, action: CorporateAction, place: int) -> None:
        """Post the cash of a corporate action (cash in lieu of fractions)."""
        entry_id = f"action:{action.transaction_id or place}"
        self.post(
            entry_id,
            action.currency,
            CORPORATE_ACTION,
            action.proceeds,
            instrument_id=action.instrument.instrument_id,
            description=action.description,
        )

    def _post_of(self, fill: Fill, kind: str, currency: str, amount: Decimal) -> None:
        fill_id = fill.revision.fill_id
        self.post(
            f"{kind}:{currency}:{fill_id}",
            currency,
            kind,
            amount,
            instrument_id=instrument_id_of(fill),
            fill_id=fill_id,
        )


def _movements(
    fill: Fill, matches: Iterable[LotMatch], short_change: Decimal
) -> Iterable[tuple[str, str, Decimal]]:
    revision = fill.revision
    instrument = revision.instrument
    if isinstance(instrument, CurrencyPair):
        yield CONVERSION, instrument.base, revision.signed_quantity
        yield CONVERSION, instrument.quote, -_quote_amount(fill) * revision.side.sign
        return
    contract = held_contract(fill)
    if contract.asset_class in SETTLED_AT_CLOSE:
        yield REALIZED, contract.currency, sum((match.gross_realized for match in matches), ZERO)
        return
    value = worth(revision.quantity, revision.price, contract.multiplier, inverse=contract.inverse)
    yield TRADE, contract.currency, -value * revision.side.sign
    if contract.asset_class == "event":
        yield COLLATERAL, contract.currency, -short_change * contract.multiplier


def _quote_amount(fill: Fill) -> Decimal:
    """Money on the other side of a conversion, positive.

    Price and quantity of the row are rounded, the amount beside them is not. It is taken where it lies within
    that rounding; an amount that does not follow from quantity and price is not believed.
    """
    revision = fill.revision
    computed = worth(revision.quantity, revision.price, Decimal(1), inverse=False)
    try:
        told = abs(Decimal(str(json.loads(revision.raw).get("proceeds") or "")))
    except (InvalidOperation, ValueError, AttributeError):
        return computed
    tolerance = (revision.quantity + revision.price) * ROUNDING
    return told if told.is_finite() and abs(told - computed) <= tolerance else computed
