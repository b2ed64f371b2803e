"""The resident processes as services of the stack: the gateway, the drain, the sessions with the broker.

Belongs here: which of them run, what they are told by their environment, how they are asked whether they
live. Keep out: what they do (`desk/residents`).

Readiness is a heartbeat, not a good connection: a broker session that waits for a gateway which is down does
its work, and restarting it would only make it forget how long it has to wait.
"""

import dataclasses
import functools
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from adapters.wiring import open_live_state
from desk.stack.ports import LOOPBACK
from desk.stack.service import Service
from desk.stack.stand_ins import ALPHA_VANTAGE_STUB, stub_endpoints
from trading.errors import ConfigurationError, DeskError
from trading.ports.live_state import LiveState
from trading.settings import Settings

GATEWAY, DRAIN, BROKER, INGEST = "gateway", "drain", "broker", "ingest"
MARKET_DRAIN = "market-drain"  # wherever a feed of the market runs
VENDORS, STUBS = "vendors", "stubs"  # who asks vendors; stand-ins for these on the gateway's market
ON_GATEWAY = (BROKER, INGEST, VENDORS)  # those that talk with the gateway, or ask for its time
BEATING = (DRAIN, BROKER, MARKET_DRAIN, INGEST, VENDORS)  # those that say in Redis that they live
# Where the processors are busy, the way of an order and its fill goes before the market's: a quote that comes
# late is followed by the next one, a fill that comes late is a position that nobody knows.
OF_THE_MARKET = (STUBS, VENDORS, INGEST, MARKET_DRAIN)
MARKET_NICENESS = 5  # a third of the share of what is not nice
CONTROL = "gateway-control"  # the second port of the gateway; no service of its own
STOP_GRACE_S = 10.0  # a drain writes what it holds, a gateway its journal

STAND_BY = "--stand-by"  # wait for ever where another machine's process has the lease: it may be gone one day

Heartbeats = Callable[[], Mapping[str, datetime]]


def wanted_residents(settings: Settings) -> tuple[str, ...]:
    """The residents in the order they start; the opposite order stops the session before the drain.

    Raises ConfigurationError where two brokers are asked for at once.
    """
    if settings.gateway.enabled and settings.broker.host is not None:
        raise ConfigurationError(
            f"gateway.enabled and broker.host ({settings.broker.host}): one home talks to one broker; unset "
            "DESK_GATEWAY or BROKER_HOST, or take another DESK_HOME"
        )
    if not settings.gateway.enabled and settings.broker.host is None:
        return (MARKET_DRAIN, VENDORS) if settings.vendors.alpha_vantage_key else ()
    gateway = (GATEWAY,) if settings.gateway.enabled else ()
    stubs = (STUBS,) if settings.gateway.enabled and settings.stubs.enabled else ()
    ingest = (INGEST,) if settings.ingest.enabled else ()
    is_asked = bool(ingest or stubs or settings.vendors.alpha_vantage_key)
    vendors = (VENDORS,) if is_asked else ()
    # Where nobody listens any more, what was heard of the market may still be on its way to the warehouse.
    return (*gateway, *stubs, DRAIN, BROKER, MARKET_DRAIN, *ingest, *vendors)


def broker_endpoints(settings: Settings, ports: Mapping[str, int]) -> dict[str, str]:
    """Where the broker is, for every process of the home; empty where the user has said it himself."""
    if GATEWAY not in ports:
        return {}
    return {
        "BROKER_HOST": LOOPBACK,
        "BROKER_PORT": str(ports[GATEWAY]),
        "BROKER_SPEED": str(settings.gateway.speed),
        "BROKER_SIMULATED_CLOCK": "true",
        "DESK_GATEWAY_CONTROL_PORT": str(ports[CONTROL]),
    }


def resident_services(
    wanted: tuple[str, ...],
    environment: Mapping[str, str],
    ports: Mapping[str, int],
    stores: tuple[str, ...],
    heartbeats: Heartbeats,
) -> tuple[Service, ...]:
    """How each of the wanted ones is started and asked; `stores` are the services of the stack they need."""
    made = []
    for name in wanted:
        if name == GATEWAY:
            made.append(_gateway(environment, ports))
            continue
        if name == STUBS:
            made.append(_stubs(environment, ports))
            continue
        needs = (*stores, GATEWAY) if name in ON_GATEWAY and GATEWAY in wanted else stores
        made.append(
            Service(
                name=name,
                command=_command(name),
                environment=environment,
                needs=needs,
                is_ready=_beats_since(name, heartbeats),
                stop_grace_s=STOP_GRACE_S,
                niceness=MARKET_NICENESS if name in OF_THE_MARKET else 0,
            )
        )
    return tuple(made)


def heartbeats_of(settings: Settings, redis_url: str | None) -> Heartbeats:
    """Ask the live state of this address who lives."""
    services = dataclasses.replace(settings.services, redis_url=redis_url)
    with_address = dataclasses.replace(settings, services=services)

    @functools.cache
    def live_state() -> LiveState:
        return open_live_state(with_address)

    return lambda: live_state().heartbeats()


def _gateway(environment: Mapping[str, str], ports: Mapping[str, int]) -> Service:
    own = {"DESK_GATEWAY_PORT": str(ports[GATEWAY]), "DESK_GATEWAY_CONTROL_PORT": str(ports[CONTROL])}
    return Service(
        name=GATEWAY,
        command=_command(GATEWAY),
        environment={**environment, **own},
        port=ports[GATEWAY],
        url=f"tcp://{LOOPBACK}:{ports[GATEWAY]}",
        is_ready=lambda _: True,  # that it listens on its port is asked of every service with a port
        stop_grace_s=STOP_GRACE_S,
    )


def _stubs(environment: Mapping[str, str], ports: Mapping[str, int]) -> Service:
    port = ports[ALPHA_VANTAGE_STUB]
    return Service(
        name=STUBS,
        command=_command(STUBS),
        environment={**environment, **stub_endpoints(ports)},
        needs=(GATEWAY,),
        port=port,
        url=f"http://{LOOPBACK}:{port}",
        is_ready=lambda _: True,
        stop_grace_s=STOP_GRACE_S,
        niceness=MARKET_NICENESS,
    )


def _command(name: str) -> tuple[str, ...]:
    stands_by = (STAND_BY,) if name in BEATING else ()
    return (sys.executable, "-m", f"desk.residents.{name.replace('-', '_')}", *stands_by)


def _beats_since(name: str, heartbeats: Heartbeats) -> Callable[[float], bool]:
    """Whether the process that began then has said that it lives: an old beat is another process's."""

    def answer(started_at: float) -> bool:
        try:
            beat = heartbeats().get(name)
        except DeskError:
            return False
        return beat is not None and beat > datetime.fromtimestamp(started_at, UTC)

    return answer
