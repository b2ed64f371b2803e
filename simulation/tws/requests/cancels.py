"""Cancels of subscriptions: a request id, and which message asked for what is cancelled."""

from typing import Protocol, TypeVar

from simulation.tws.fields import Cursor
from simulation.tws.requests.account import CancelSubscription

Read = TypeVar("Read", covariant=True)


class Reader(Protocol[Read]):
    """Reads one request behind its message id."""

    def __call__(self, cursor: Cursor, version: int, /) -> Read: ...


def cancel_of(kind: str, *, has_version: bool, more: int = 0) -> Reader[CancelSubscription]:
    """A reader for one kind of cancel; older requests lead with a version, some end with more fields."""

    def read(cursor: Cursor, version: int) -> CancelSubscription:
        if has_version:
            cursor.integer("version")
        request = CancelSubscription(cursor.integer("reqId"), kind)
        cursor.texts("more", more)
        return request

    read.__name__ = f"cancel_{kind}"
    return read
