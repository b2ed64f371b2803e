"""How this gateway is set: what a person would choose in a real one's configuration window."""

from dataclasses import dataclass
from enum import StrEnum

from simulation.tws.replies.executions import TimeForm
from simulation.tws.versions import NEWEST


class DataPermission(StrEnum):
    """What market data the login may see."""

    LIVE = "live"
    DELAYED = "delayed"  # live requests are answered with delayed data and a notice
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayOptions:
    """Settings that do not change while the gateway runs; what breaks on demand is in faults.py.

    Limits are those of a real login: market data lines, depth requests, tick-by-tick requests, messages a
    second (wall time, as the client throttles itself by the wall).
    """

    host: str = "127.0.0.1"
    port: int = 0
    server_version: int = NEWEST
    execution_time: TimeForm = TimeForm.ZONED
    master_client_id: int | None = None
    permission: DataPermission = DataPermission.LIVE
    read_only: bool = False  # as a real gateway is set by default: orders are refused
    market_data_lines: int = 100
    depth_lines: int = 3
    tick_by_tick_lines: int = 5
    messages_per_second: int = 50
    history_pacing: bool = True
    pump_s: float = 0.02
    clients_max: int = 32
    start_within_s: float = 30.0  # a socket that has not said who it is by then is closed (wall time)
