"""When each execution went out live: id and wall time of every sending to a client that heard it.

What measures latency from the gateway to the warehouse starts here. Executions in answers to a request are
not counted, since a client asked for them.
"""

import time

from simulation.broker.model import ExecutionView
from simulation.tws.state import GatewayState
from simulation.tws.telling import Teller

SENDINGS_MAX = 1_000_000  # kept until taken


class RecordingTeller(Teller):
    """A teller that notes what it sends; `take` empties the notes."""

    def __init__(self) -> None:
        super().__init__()
        self._sendings: list[tuple[str, int]] = []

    def take(self) -> list[tuple[str, int]]:
        """Execution ids and nanoseconds since the epoch, since the last call."""
        taken, self._sendings = self._sendings, []
        return taken

    def send_execution(self, state: GatewayState, execution: ExecutionView) -> None:
        """Tell an execution, and note it where somebody hears it."""
        heard = state.clients.hearing(execution.client_id, state.options.master_client_id)
        if heard and len(self._sendings) < SENDINGS_MAX:
            self._sendings.append((execution.exec_id, time.time_ns()))
        super().send_execution(state, execution)
