"""Cancels of subscriptions: a request id, and which message asked for what is cancelled."""

from collections.abc import Callable

from simulation.tws.fields import Cursor
from simulation.tws.requests.account import CancelSubscription

Reader = Callable[[Cursor, int], CancelSubscription]


def cancel_of(kind: str, *, has_version: bool, more: int = 0) -> Reader:
    """A reader for one kind of cancel; older requests lead with a version, some end with more fields."""

    def read(cursor: Cursor, version: int) -> CancelSubscription:
        if has_version:
            cursor.integer("version")
        request = CancelSubscription(cursor.integer("reqId"), kind)
        cursor.texts("more", more)
        return request

    return read
