"""Requests about accounts: positions, values, summary, profit; and their cancels."""

from dataclasses import dataclass

from simulation.tws.fields import Cursor


@dataclass(frozen=True, slots=True)
class Positions:
    """All positions, and each change from now on."""


@dataclass(frozen=True, slots=True)
class CancelPositions:
    """No more changes."""


@dataclass(frozen=True, slots=True)
class PositionsMulti:
    """Positions of one account, by request id."""

    request_id: int
    account: str
    model: str


@dataclass(frozen=True, slots=True)
class AccountUpdates:
    """Values and portfolio of one account, or no more of them."""

    subscribes: bool
    account: str


@dataclass(frozen=True, slots=True)
class AccountUpdatesMulti:
    """Values of one account by request id."""

    request_id: int
    account: str
    model: str
    ledger_only: bool


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """Some figures of all accounts."""

    request_id: int
    group: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Profit:
    """Profit of an account, once a second."""

    request_id: int
    account: str


@dataclass(frozen=True, slots=True)
class ProfitSingle:
    """Profit of one position, once a second."""

    request_id: int
    account: str
    conid: int


@dataclass(frozen=True, slots=True)
class CancelSubscription:
    """End the subscription of this request id, of the kind named."""

    request_id: int
    kind: str


def positions(cursor: Cursor, version: int) -> Positions:
    cursor.integer("version")
    return Positions()


def cancel_positions(cursor: Cursor, version: int) -> CancelPositions:
    cursor.integer("version")
    return CancelPositions()


def positions_multi(cursor: Cursor, version: int) -> PositionsMulti:
    cursor.integer("version")
    return PositionsMulti(cursor.integer("reqId"), cursor.text("account"), cursor.text("modelCode"))


def account_updates(cursor: Cursor, version: int) -> AccountUpdates:
    cursor.integer("version")
    return AccountUpdates(cursor.flag("subscribe"), cursor.text("acctCode"))


def account_updates_multi(cursor: Cursor, version: int) -> AccountUpdatesMulti:
    cursor.integer("version")
    return AccountUpdatesMulti(
        cursor.integer("reqId"),
        cursor.text("account"),
        cursor.text("modelCode"),
        cursor.flag("ledgerAndNLV"),
    )


def account_summary(cursor: Cursor, version: int) -> AccountSummary:
    cursor.integer("version")
    request_id, group = cursor.integer("reqId"), cursor.text("groupName")
    tags = tuple(tag.strip() for tag in cursor.text("tags").split(",") if tag.strip())
    return AccountSummary(request_id, group, tags)


def profit(cursor: Cursor, version: int) -> Profit:
    request = Profit(cursor.integer("reqId"), cursor.text("account"))
    cursor.text("modelCode")
    return request


def profit_single(cursor: Cursor, version: int) -> ProfitSingle:
    request_id, account = cursor.integer("reqId"), cursor.text("account")
    cursor.text("modelCode")
    return ProfitSingle(request_id, account, cursor.integer("conId"))
