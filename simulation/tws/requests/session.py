"""Requests about the connection: start, ids, accounts, time."""

from dataclasses import dataclass

from simulation.tws.fields import Cursor


@dataclass(frozen=True, slots=True)
class StartApi:
    """The client says who it is."""

    client_id: int


@dataclass(frozen=True, slots=True)
class NextId:
    """The lowest order id it may use."""


@dataclass(frozen=True, slots=True)
class ManagedAccounts:
    """The accounts it sees."""


@dataclass(frozen=True, slots=True)
class CurrentTime:
    """The gateway's clock."""


@dataclass(frozen=True, slots=True)
class Noted:
    """A request that needs no answer: log level, display groups, news bulletins."""


def start_api(cursor: Cursor, version: int) -> StartApi:
    cursor.integer("version")
    request = StartApi(cursor.integer("clientId"))
    cursor.text("optionalCapabilities")
    return request


def next_id(cursor: Cursor, version: int) -> NextId:
    cursor.texts("version, count", 2)
    return NextId()


def managed_accounts(cursor: Cursor, version: int) -> ManagedAccounts:
    cursor.integer("version")
    return ManagedAccounts()


def current_time(cursor: Cursor, version: int) -> CurrentTime:
    cursor.integer("version")
    return CurrentTime()


def noted(cursor: Cursor, version: int) -> Noted:
    cursor.texts("ignored", cursor.left)
    return Noted()
