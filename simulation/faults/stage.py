"""Where faults act: the broker, the gateway in front of it, the clock, the loop they run in."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulation.broker.conduct import Conduct
from simulation.broker.exchange import SimulatedBroker
from simulation.broker.model import BrokerSays
from simulation.market.clock import SimulatedClock
from simulation.sample_desk.contracts import Contract
from simulation.tws.faults import WireFaults
from simulation.tws.server import GatewayServer

TASKS_MOST = 100


@dataclass(slots=True)
class Stage:
    """One running world. `at` is the moment of the fault that acts now."""

    broker: SimulatedBroker
    server: GatewayServer
    clock: SimulatedClock
    at: datetime
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def wire(self) -> WireFaults:
        """Switches of the telling."""
        return self.server.faults

    @property
    def conduct(self) -> Conduct:
        """Switches of the truth; to be turned through `behave`, which writes them down."""
        return self.broker.conduct

    def behave(self, **switches: object) -> None:
        """Turn switches of the broker."""
        self.tell(self.broker.behave(self.at, **switches))

    def tell(self, says: Sequence[BrokerSays]) -> None:
        """Tell what the broker says to those it concerns."""
        self.server.tell(says)

    def go(self, work: Coroutine[Any, Any, None]) -> None:
        """Start something that takes time."""
        if len(self.tasks) >= TASKS_MOST:
            raise ValueError(f"tasks: expected at most {TASKS_MOST}")
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def last_execution(self) -> str:
        """The id of the newest execution of a contract that stands; none is an error."""
        for told in reversed(self.broker.executed.told):
            if not told.execution.is_combination:
                trade, _ = self.broker.executed.find(told.execution.exec_id)
                if not trade.busted:
                    return told.execution.exec_id
        raise ValueError("last execution: expected one, there is none in this session")

    def last_order(self) -> tuple[int, int]:
        """Client and number of the newest live order; none is an error."""
        live = list(self.broker.register.live())
        if not live:
            raise ValueError("last order: expected a live one, there is none")
        ticket = live[-1].ticket
        return ticket.client_id, ticket.order_id

    def held_option(self, account: str) -> Contract:
        """An option that the account holds and that delivers; none is an error."""
        for contract, _, _ in self.broker.ledgers[account].holdings():
            if contract.asset == "OPT":
                return contract
        raise ValueError(f"held option: expected one in {account}, there is none")

    def account(self) -> str:
        """The first account."""
        return next(iter(self.broker.ledgers))
