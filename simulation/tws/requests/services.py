"""Requests for services this login does not have, or with one fixed answer: read only as far as the id."""

from dataclasses import dataclass

from simulation.tws.fields import Cursor
from simulation.tws.requests.cancels import Reader


@dataclass(frozen=True, slots=True)
class Service:
    """A request for one such service."""

    name: str
    request_id: int


def service(name: str, *, has_version: bool, has_id: bool = True) -> Reader[Service]:
    """A reader for one service; what else it says does not matter."""

    def read(cursor: Cursor, version: int) -> Service:
        if has_version:
            cursor.integer("version")
        request_id = cursor.integer("reqId") if has_id else -1
        cursor.texts("rest", cursor.left)
        return Service(name, request_id)

    read.__name__ = name
    return read
