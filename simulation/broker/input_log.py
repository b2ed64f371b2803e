"""What was done to the broker, line by line: a killed gateway reads it and is the same broker again.

The broker is deterministic, so its inputs are all of its state: orders, cancels, corrections, switches, each
with its simulated moment, and now and then how far the clock had come. What happens by itself (the market,
the sample trader) is not written: it happens again. Keep out: what the broker says.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from simulation.broker.conduct import Refusal
from simulation.broker.exchange import SimulatedBroker
from simulation.broker.ledger import AccountSpec
from simulation.broker.model import BrokerSays, Leg, Ticket
from simulation.market.world import World
from simulation.sample_desk.contracts import Contract

LINES_MOST = 5_000_000
TICK, BEGIN = "tick", "begin"
RECORDS: Mapping[str, type[Any]] = {"Ticket": Ticket, "Leg": Leg, "Refusal": Refusal}


class InputLog:
    """A file of JSON lines that only grows; each line is written whole before the input is done."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file: TextIO | None = None

    def read(self, contract_of: Callable[[int], Contract]) -> Iterator[dict[str, Any]]:
        """All inputs in order; a last line that was cut by a kill is left out."""
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8") as file:
            for number, line in enumerate(file):
                if number >= LINES_MOST:
                    raise ValueError(f"input log: expected at most {LINES_MOST} lines")
                if line.endswith("\n"):
                    yield {name: _read(value, contract_of) for name, value in json.loads(line).items()}

    def begin(self, world: Mapping[str, Any]) -> None:
        """Say first which world the inputs are of; a log of another world is an error that tells both."""
        first = next(self.read(_no_contract), None)
        if first is None:
            self.write({"do": BEGIN, "world": world})
        elif first != {"do": BEGIN, "world": dict(world)}:
            raise ValueError(f"{self.path}: expected the inputs of {dict(world)}, was {first.get('world')}")

    def write(self, entry: Mapping[str, Any]) -> None:
        """Append one input."""
        if self._file is None:
            self._end_cut_line()
            self._file = self.path.open("a", encoding="utf-8")
        self._file.write(json.dumps({name: _written(value) for name, value in entry.items()}) + "\n")
        self._file.flush()

    def close(self) -> None:
        """No more inputs."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _end_cut_line(self) -> None:
        """Cut off what a kill left of a last line."""
        if self.path.exists():
            data = self.path.read_bytes()
            if data and not data.endswith(b"\n"):
                self.path.write_bytes(data[: data.rfind(b"\n") + 1])


class RecordedBroker(SimulatedBroker):
    """A broker whose inputs are written down; `replay` brings it to where the log ends."""

    def __init__(self, world: World, accounts: Sequence[AccountSpec], log: InputLog) -> None:
        super().__init__(world, accounts)
        self._log = log
        self._depth = 0

    def replay(self) -> datetime | None:
        """Do again what the log says; gives the last moment in it, None when it is empty."""
        last = None
        for entry in self._log.read(self.contract_of):
            if entry["do"] == BEGIN:
                continue
            last = entry["at"]
            with self._inside(), suppress(ValueError):  # what was refused then is refused again
                if entry["do"] == TICK:
                    self.advance(last)
                else:
                    getattr(SimulatedBroker, entry["do"])(self, *entry["values"], now=last, **entry["named"])
        return last

    def tick(self, now: datetime) -> None:
        """Note how far the world has come."""
        self._log.write({"at": now, "do": TICK})

    def advance(self, now: datetime) -> list[BrokerSays]:
        """What happens by itself is not written."""
        with self._inside():
            return super().advance(now)

    def place(self, ticket: Ticket, now: datetime) -> list[BrokerSays]:
        """Recorded."""
        with self._recorded("place", now, ticket):
            return super().place(ticket, now)

    def cancel(self, client_id: int, order_id: int, now: datetime) -> list[BrokerSays]:
        """Recorded."""
        with self._recorded("cancel", now, client_id, order_id):
            return super().cancel(client_id, order_id, now)

    def global_cancel(self, now: datetime) -> list[BrokerSays]:
        """Recorded."""
        with self._recorded("global_cancel", now):
            return super().global_cancel(now)

    def correct(
        self, exec_id: str, *, quantity: Decimal | None = None, price: Decimal | None = None, now: datetime
    ) -> list[BrokerSays]:
        """Recorded."""
        with self._recorded("correct", now, exec_id, quantity=quantity, price=price):
            return super().correct(exec_id, quantity=quantity, price=price, now=now)

    def bust(self, exec_id: str, now: datetime) -> list[BrokerSays]:
        """Recorded."""
        with self._recorded("bust", now, exec_id):
            return super().bust(exec_id, now)

    def place_by_hand(
        self,
        account: str,
        conid: int,
        action: str,
        quantity: Decimal,
        now: datetime,
        limit_price: Decimal | None = None,
    ) -> list[BrokerSays]:
        """Recorded."""
        with self._recorded("place_by_hand", now, account, conid, action, quantity, limit_price=limit_price):
            return super().place_by_hand(account, conid, action, quantity, now, limit_price)

    def move_position_silently(
        self, account: str, conid: int, quantity: Decimal | None, now: datetime
    ) -> list[BrokerSays]:
        """Recorded."""
        with self._recorded("move_position_silently", now, account, conid, quantity):
            return super().move_position_silently(account, conid, quantity, now)

    def behave(self, now: datetime, **switches: object) -> list[BrokerSays]:
        """Recorded."""
        with self._recorded("behave", now, **switches):
            return super().behave(now, **switches)

    @contextmanager
    def _recorded(self, name: str, now: datetime, *values: object, **named: object) -> Iterator[None]:
        if self._depth == 0:
            at = max(now, self.now)
            self._log.write({"at": at, "do": name, "values": list(values), "named": dict(named)})
        with self._inside():
            yield

    @contextmanager
    def _inside(self) -> Iterator[None]:
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1


def _no_contract(conid: int) -> Contract:
    raise ValueError(f"conid: expected none in the first line, was {conid}")


def _written(value: object) -> object:
    """A value as JSON that `_read` brings back."""
    if value is None or isinstance(value, str | int | float):
        return str(value) if type(value) not in (str, int, float, bool, type(None)) else value
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, datetime):
        return {"moment": value.isoformat()}
    if isinstance(value, timedelta):
        return {"seconds": value.total_seconds()}
    if isinstance(value, Contract):
        return {"conid": value.conid}
    if isinstance(value, Mapping):
        return {"map": {str(name): _written(item) for name, item in value.items()}}
    if isinstance(value, list | tuple):
        return {"list" if isinstance(value, list) else "tuple": [_written(item) for item in value]}
    name = type(value).__name__
    if name not in RECORDS:
        raise ValueError(f"input: expected a value that can be written down, was {value!r}")
    record = RECORDS[name]
    return {name: {item.name: _written(getattr(value, item.name)) for item in fields(record)}}


def _read(value: Any, contract_of: Callable[[int], Contract]) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, told),) = value.items()
    simple: Mapping[str, Callable[[Any], Any]] = {
        "decimal": Decimal,
        "moment": datetime.fromisoformat,
        "seconds": lambda seconds: timedelta(seconds=seconds),
        "conid": contract_of,
        "map": lambda items: {name: _read(item, contract_of) for name, item in items.items()},
        "list": lambda items: [_read(item, contract_of) for item in items],
        "tuple": lambda items: tuple(_read(item, contract_of) for item in items),
    }
    if kind in simple:
        return simple[kind](told)
    return RECORDS[kind](**{name: _read(item, contract_of) for name, item in told.items()})
