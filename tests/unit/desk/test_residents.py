"""Which resident processes a stack has, in which order, and when one counts as ready."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.configuration import load_settings
from desk.stack.catalog import build_catalog
from desk.stack.layout import StackLayout
from desk.stack.ports import PortReservations
from desk.stack.residents import resident_services, wanted_residents
from desk.stack.stand_ins import wished_stub_ports
from trading.errors import ConfigurationError, LiveStateUnavailableError
from trading.settings import Settings

STARTED = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
STORES = ("warehouse", "redis")


def settings_with(home: Path, **more: str) -> Settings:
    """Settings of a home of its own."""
    return load_settings({"DESK_HOME": str(home), **more}, with_stack=False)


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, ()),
        ({"BROKER_HOST": "127.0.0.1"}, ("drain", "broker", "market-drain", "ingest", "vendors")),
        ({"DESK_GATEWAY": "true"}, ("gateway", "drain", "broker", "market-drain", "ingest", "vendors")),
        (
            {"DESK_GATEWAY": "true", "DESK_STUBS": "true"},
            ("gateway", "stubs", "drain", "broker", "market-drain", "ingest", "vendors"),
        ),
        ({"DESK_STUBS": "true"}, ()),
        ({"ALPHA_VANTAGE_KEY": "key"}, ("market-drain", "vendors")),
        (
            {"BROKER_HOST": "127.0.0.1", "DESK_INGEST": "false", "ALPHA_VANTAGE_KEY": "key"},
            ("drain", "broker", "market-drain", "vendors"),
        ),
        ({"DESK_GATEWAY": "true", "DESK_INGEST": "false"}, ("gateway", "drain", "broker", "market-drain")),
    ],
)
def test_residents_run_only_where_a_broker_is(
    tmp_path: Path, environment: dict[str, str], wanted: tuple[str, ...]
) -> None:
    """Without a broker there is nothing to hear; the gateway is never started unasked.

    The market's drain runs where nobody listens (any more), too: what a killed listener heard may be waiting.
    """
    assert wanted_residents(settings_with(tmp_path, **environment)) == wanted


def test_two_brokers_at_once_are_refused(tmp_path: Path) -> None:
    """A home that would mix the fills of a real broker with simulated ones does not start."""
    with pytest.raises(ConfigurationError, match="one home talks to one broker"):
        wanted_residents(settings_with(tmp_path, DESK_GATEWAY="true", BROKER_HOST="127.0.0.1"))


def test_everyone_of_the_home_is_told_where_the_simulated_broker_is(tmp_path: Path) -> None:
    """Its port is reserved beside the others, and its speed is the session's."""
    settings = settings_with(tmp_path / "home", DESK_GATEWAY="true", DESK_GATEWAY_SPEED="60")
    layout = StackLayout(settings.paths.home)
    layout.make_folders()
    reservations = PortReservations(tmp_path / "ports")
    catalog = build_catalog(settings, layout, reservations)
    reservations.release()
    services = {service.name: service for service in catalog.services}
    names = list(services)
    assert names[:5] == ["warehouse", "redis", "gateway", "drain", "broker"]
    port = str(services["gateway"].port)
    assert services["gateway"].environment["DESK_GATEWAY_PORT"] == port
    assert services["broker"].environment["BROKER_PORT"] == port
    assert (catalog.endpoints["BROKER_HOST"], catalog.endpoints["BROKER_SPEED"]) == ("127.0.0.1", "60")
    assert services["broker"].needs == (*STORES, "gateway")
    assert services["drain"].needs == STORES


def test_the_way_of_a_fill_goes_before_the_markets(tmp_path: Path) -> None:
    """Where the processors are busy, who hears and stores the market waits for gateway, session and drain."""
    settings = settings_with(tmp_path, DESK_GATEWAY="true", DESK_STUBS="true")
    ports = dict.fromkeys(("gateway", "gateway-control", *wished_stub_ports(settings)), 1)
    made = resident_services(wanted_residents(settings), {}, ports, STORES, dict)
    nice = {service.name for service in made if service.niceness > 0}
    assert nice == {"stubs", "market-drain", "ingest", "vendors"}


def test_a_simulated_day_asks_the_stand_ins_and_nobody_real(tmp_path: Path) -> None:
    """Their addresses and their key replace the user's own for every process of the home."""
    told = {"DESK_GATEWAY": "true", "DESK_STUBS": "true", "ALPHA_VANTAGE_KEY": "the-users-own"}
    settings = settings_with(tmp_path / "home", **told)
    layout = StackLayout(settings.paths.home)
    layout.make_folders()
    reservations = PortReservations(tmp_path / "ports")
    catalog = build_catalog(settings, layout, reservations)
    reservations.release()
    services = {service.name: service for service in catalog.services}
    for name in ("stubs", "vendors"):
        environment = services[name].environment
        assert environment["ALPHA_VANTAGE_KEY"] != "the-users-own"
        assert environment["ALPHA_VANTAGE_URL"] == services["stubs"].url
        addresses = [environment[key] for key in ("ALPHA_VANTAGE_URL", "CBOE_HISTORY_URL", "YAHOO_URL")]
        assert all(address.startswith("http://127.0.0.1:") for address in addresses)
    assert "the-users-own" not in layout.endpoints_file.read_text()


@pytest.mark.parametrize(
    ("beats", "is_ready"),
    [
        ({}, False),
        ({"drain": STARTED - timedelta(seconds=1)}, False),  # of the process that was killed
        ({"broker": STARTED + timedelta(seconds=1)}, False),
        ({"drain": STARTED + timedelta(seconds=1)}, True),
    ],
)
def test_a_resident_is_ready_when_it_has_said_so_itself(
    beats: Mapping[str, datetime], is_ready: bool
) -> None:
    """A heartbeat older than the process is another process's."""
    (drain,) = resident_services(("drain",), {}, {}, STORES, lambda: beats)
    assert drain.is_ready(STARTED.timestamp()) is is_ready


def test_a_live_state_that_is_down_is_no_answer() -> None:
    """It counts as not ready, and ends nothing."""

    def down() -> Mapping[str, datetime]:
        raise LiveStateUnavailableError("redis: connection refused")

    (drain,) = resident_services(("drain",), {}, {}, STORES, down)
    assert drain.is_ready(STARTED.timestamp()) is False
