"""The services of one stack in the order they start, with their ports chosen and their files written.

Belongs here: what is started, what is replaced by the user's own URL. Keep out: how each one is started.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from desk.stack.dagster import CODE_SERVER, WEBSERVER, dagster_services, dagster_url, write_instance
from desk.stack.layout import StackLayout
from desk.stack.passwords import Passwords, load_or_make_passwords, write_private
from desk.stack.ports import PortReservations
from desk.stack.redis_server import NAME as REDIS
from desk.stack.redis_server import find_redis_binary, redis_service, redis_url
from desk.stack.residents import (
    CONTROL,
    GATEWAY,
    STUBS,
    broker_endpoints,
    heartbeats_of,
    resident_services,
    wanted_residents,
)
from desk.stack.service import Service
from desk.stack.stand_ins import STAND_INS, stub_endpoints, wished_stub_ports
from desk.stack.warehouse import NAME as WAREHOUSE
from desk.stack.warehouse import warehouse_service, warehouse_url
from trading.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """What to run, what lives elsewhere, and the addresses that clients are given."""

    services: tuple[Service, ...]
    external: tuple[str, ...]
    endpoints: Mapping[str, str] = field(repr=False)


def external_services(settings: Settings) -> tuple[str, ...]:
    """The services the user replaced by his own; settings read without the stack's addresses."""
    given = {WAREHOUSE: settings.services.warehouse_url, REDIS: settings.services.redis_url}
    return tuple(name for name, url in given.items() if url is not None)


def build_catalog(settings: Settings, layout: StackLayout, reservations: PortReservations) -> Catalog:
    """Choose ports, write every file the services read, and say how they are started."""
    passwords = load_or_make_passwords(layout.secrets_file)
    external = external_services(settings)
    residents = wanted_residents(settings)
    ports = _choose_ports(settings, layout, _not_here(external, residents), reservations)
    endpoints = _endpoints(settings, passwords, ports)
    stores: list[Service] = []
    if WAREHOUSE not in external:
        stores.append(warehouse_service(layout, passwords, ports[WAREHOUSE]))
    if REDIS not in external:
        limit_mb = settings.stack.redis_memory_max_mb
        stores.append(redis_service(layout, passwords, ports[REDIS], limit_mb, find_redis_binary()))
    write_instance(layout, settings.stack.concurrent_runs_max, ports[CODE_SERVER])
    _write_endpoints(layout, endpoints)
    needs = tuple(service.name for service in stores)
    environment = {"DESK_HOME": str(layout.home), **endpoints}
    dagster = dagster_services(layout, environment, ports[CODE_SERVER], ports[WEBSERVER], needs)
    beats = heartbeats_of(settings, endpoints.get("REDIS_URL"))
    live = resident_services(residents, environment, ports, needs, beats)
    return Catalog(services=(*stores, *live, *dagster), external=external, endpoints=endpoints)


def _not_here(external: tuple[str, ...], residents: tuple[str, ...]) -> tuple[str, ...]:
    """What gets no port: services of the user's own, a gateway and stand-ins that nobody asked for."""
    gateway = () if GATEWAY in residents else (GATEWAY, CONTROL)
    stubs = () if STUBS in residents else STAND_INS
    return (*external, *gateway, *stubs)


def _choose_ports(
    settings: Settings, layout: StackLayout, without: tuple[str, ...], reservations: PortReservations
) -> dict[str, int]:
    usual = {
        WAREHOUSE: settings.stack.warehouse_port,
        REDIS: settings.stack.redis_port,
        CODE_SERVER: settings.stack.code_server_port,
        WEBSERVER: settings.stack.dagster_port,
        GATEWAY: settings.gateway.port,
        CONTROL: settings.gateway.control_port,
        **wished_stub_ports(settings),
    }
    before = _last_ports(layout)
    chosen: dict[str, int] = {}
    for name, port in usual.items():
        if name not in without:
            wishes = [wish for wish in (before.get(name), port) if wish is not None]
            chosen[name] = reservations.choose(wishes)
    write_private(layout.ports_file, json.dumps(chosen) + "\n")
    return chosen


def _last_ports(layout: StackLayout) -> dict[str, int]:
    try:
        content = json.loads(layout.ports_file.read_text(encoding="utf-8"))
        return {str(name): int(port) for name, port in content.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _endpoints(settings: Settings, passwords: Passwords, ports: Mapping[str, int]) -> dict[str, str]:
    given = settings.services
    endpoints = {"DAGSTER_URL": dagster_url(ports[WEBSERVER])}
    if WAREHOUSE in ports:
        endpoints["CLICKHOUSE_URL"] = warehouse_url("writer", passwords.warehouse_writer, ports[WAREHOUSE])
        endpoints["CLICKHOUSE_READER_URL"] = warehouse_url(
            "reader", passwords.warehouse_reader, ports[WAREHOUSE]
        )
    elif given.warehouse_url is not None:
        endpoints["CLICKHOUSE_URL"] = given.warehouse_url
        if given.warehouse_reader_url is not None:
            endpoints["CLICKHOUSE_READER_URL"] = given.warehouse_reader_url
    if REDIS in ports:
        endpoints["REDIS_URL"] = redis_url(passwords.redis, ports[REDIS])
    elif given.redis_url is not None:
        endpoints["REDIS_URL"] = given.redis_url
    return endpoints | broker_endpoints(settings, ports) | stub_endpoints(ports)


def _write_endpoints(layout: StackLayout, endpoints: Mapping[str, str]) -> None:
    lines = ["# Written by the running stack, removed by `desk down`."]
    lines += [f"{name}={value}" for name, value in endpoints.items()]
    write_private(layout.endpoints_file, "\n".join(lines) + "\n")
