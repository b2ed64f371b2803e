"""The requests as documentation shows them, made from the table the gateway works by."""

from collections.abc import Mapping, Sequence
from typing import Final

from simulation.tws.requests import READERS

ROOMS: Final = {
    "session": "the connection",
    "contracts": "contracts",
    "place_order": "orders",
    "orders": "orders",
    "account": "accounts",
    "market": "market data and history",
    "cancels": "ends of subscriptions",
    "services": "services a login may lack",
}


def requests_table() -> str:
    """One row per room: what is answered there, each with its message numbers."""
    rooms: dict[str, dict[str, list[str]]] = {room: {} for room in ROOMS.values()}
    for number, reader in READERS.items():
        module = reader.__module__.rpartition(".")[2]
        name = getattr(reader, "__name__", module).removeprefix("read_").replace("_", " ")
        rooms[ROOMS[module]].setdefault(name, []).append(str(number))
    lines = [f"| {room} | {_listed(names)} |" for room, names in rooms.items()]
    return "\n".join(["| about | requests and their numbers |", "| --- | --- |", *lines])


def _listed(names: Mapping[str, Sequence[str]]) -> str:
    return ", ".join(f"{name} {'/'.join(numbers)}" for name, numbers in names.items())
