"""From files and environment to `Settings`.

Order, later wins: the running stack's addresses, `.env`, the environment.

Belongs here: which file is which section, where the home folder is, the checks between settings, the hash.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from adapters.configuration.building import build
from adapters.configuration.checking_market import (
    check_ingest,
    check_market,
    check_number,
    check_stubs,
    in_house_spelling,
)
from adapters.configuration.environment import fill_placeholders, process_environment, read_environment_file
from adapters.configuration.yaml_files import read_yaml
from trading.errors import ConfigurationError
from trading.market_settings import (
    HistorySettings,
    IngestSettings,
    MarketSettings,
    StubSettings,
    VendorSettings,
    VolatilitySettings,
)
from trading.settings import (
    BookSettings,
    BrokerSettings,
    FlexSettings,
    GatewaySettings,
    InboxSettings,
    PathSettings,
    ReconciliationSettings,
    ServiceSettings,
    Settings,
    StackSettings,
    VenueSettings,
)

ENDPOINTS_FILE = (
    Path("stack") / "endpoints.env"
)  # under the home folder; written by the embedded stack, mode 0600
OVERRIDES_FOLDER = "config"  # under the home folder: files of the same names, key by key over the project's
NESTING_MAX = 8
PORT_MAX = 65535
SESSIONS_KEPT_MAX = 90  # of the volatility index on this machine
LINES_MAX = 10_000  # market data lines of the simulated gateway
SPEED_MAX = 100_000  # a session in a quarter of a second
SERVER_VERSIONS = (165, 169, 173, 176)  # those the recorded messages are of


def default_project_root() -> Path:
    """The checkout this code runs from (the project is installed editable)."""
    return Path(__file__).resolve().parents[2]


def load_settings(
    environment: Mapping[str, str] | None = None, project_root: Path | None = None, *, with_stack: bool = True
) -> Settings:
    """Read the effective settings.

    `with_stack=False` leaves out what a running embedded stack offers: what the user himself configured.
    Raises ConfigurationError with a message that names the key.
    """
    root = (project_root or default_project_root()).resolve()
    given = dict(process_environment() if environment is None else environment)
    names = {**read_environment_file(root / ".env"), **given}
    home = _home(names, root)
    if with_stack:
        names = {**read_environment_file(home / ENDPOINTS_FILE), **names}
    sections = (root / "config", home / OVERRIDES_FOLDER)
    market, stubs = in_house_spelling(
        build(MarketSettings, _section("market", sections, names), "market"),
        build(StubSettings, _section("stubs", sections, names), "stubs"),
    )
    tree = Settings(
        paths=PathSettings(project_root=root, home=home, inbox=_inbox(names, home), archive=home / "archive"),
        services=build(ServiceSettings, _section("services", sections, names), "services"),
        stack=build(StackSettings, _section("stack", sections, names), "stack"),
        books=build(BookSettings, _section("books", sections, names), "books"),
        reconciliation=build(
            ReconciliationSettings, _section("reconciliation", sections, names), "reconciliation"
        ),
        inbox=build(InboxSettings, _section("inbox", sections, names), "inbox"),
        flex=build(FlexSettings, _section("flex", sections, names), "flex"),
        venues=build(VenueSettings, _section("venues", sections, names), "venues"),
        gateway=build(GatewaySettings, _section("gateway", sections, names), "gateway"),
        broker=build(BrokerSettings, _section("broker", sections, names), "broker"),
        market=market,
        ingest=build(IngestSettings, _section("ingest", sections, names), "ingest"),
        vendors=build(VendorSettings, _section("vendors", sections, names), "vendors"),
        stubs=stubs,
        volatility=build(VolatilitySettings, _section("volatility", sections, names), "volatility"),
        history=build(HistorySettings, _section("history", sections, names), "history"),
        configuration_hash="",
    )
    _check(tree)
    return dataclasses.replace(tree, configuration_hash=hash_of_choices(tree))


def hash_of_choices(settings: Settings) -> str:
    """A short hash of everything that can change a result: not paths, addresses, ports or secrets."""
    choices = {name: _plain(getattr(settings, name)) for name in ("books", "reconciliation", "inbox")}
    text = json.dumps(choices, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _home(names: Mapping[str, str], root: Path) -> Path:
    given = names.get("DESK_HOME")
    return Path(given).expanduser().resolve() if given else root / ".desk"


def _inbox(names: Mapping[str, str], home: Path) -> Path:
    given = names.get("DESK_INBOX")
    return Path(given).expanduser().resolve() if given else home / "inbox"


def _section(name: str, folders: tuple[Path, ...], names: Mapping[str, str]) -> Mapping[str, Any]:
    values: dict[str, Any] = {}
    for folder in folders:
        values.update(_read_yaml(folder / f"{name}.yaml", required=folder == folders[0]))
    filled = _fill(values, names, name, depth=0)
    assert isinstance(filled, dict)
    return filled


def _read_yaml(path: Path, *, required: bool) -> Mapping[str, Any]:
    if not path.is_file():
        if required:
            raise ConfigurationError(f"{path}: missing; it belongs to the project")
        return {}
    return read_yaml(path)


def _fill(value: Any, names: Mapping[str, str], key: str, depth: int) -> Any:
    if depth > NESTING_MAX:
        raise ConfigurationError(f"{key}: nested deeper than {NESTING_MAX} levels")
    if isinstance(value, dict):
        return {name: _fill(item, names, f"{key}.{name}", depth + 1) for name, item in value.items()}
    return fill_placeholders(value, names, key) if isinstance(value, str) else value


def _check(settings: Settings) -> None:
    limits = settings.reconciliation
    if not 0 < limits.break_at <= limits.lock_contract_below <= limits.lock_underlying_below:
        raise ConfigurationError(
            "reconciliation.break_at, lock_contract_below, lock_underlying_below: expected 0 < rising, was "
            f"{limits.break_at}, {limits.lock_contract_below}, {limits.lock_underlying_below}"
        )
    if limits.final_at >= limits.final_retry_until:
        raise ConfigurationError("reconciliation.final_retry_until: expected a time after final_at")
    if limits.final_retry_every_min < 1:
        raise ConfigurationError("reconciliation.final_retry_every_min: expected 1 or more")
    for field in dataclasses.fields(settings.stack):
        value = getattr(settings.stack, field.name)
        if value < 1 or (field.name.endswith("_port") and value > PORT_MAX):
            raise ConfigurationError(
                f"stack.{field.name}: expected 1 or more (a port: to {PORT_MAX}), was {value}"
            )
    _check_broker(settings.broker)
    _check_gateway(settings.gateway)
    _check_flex(settings.flex)
    check_market(settings.market)
    check_ingest(settings.ingest)
    check_stubs(settings.stubs)
    _check_vendors(settings.vendors)
    check_volatility(settings.volatility)
    for field in dataclasses.fields(settings.inbox):
        if getattr(settings.inbox, field.name) < 1:
            raise ConfigurationError(f"inbox.{field.name}: expected 1 or more")


def _check_broker(broker: BrokerSettings) -> None:
    _check_range(broker, "broker", (("port", PORT_MAX), ("speed", SPEED_MAX), ("messages_per_s_max", 50)))
    for field in dataclasses.fields(broker):
        value = getattr(broker, field.name)
        if field.name.endswith("_s") and value < 1:
            raise ConfigurationError(f"broker.{field.name}: expected 1 or more, was {value}")
    try:
        ZoneInfo(broker.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigurationError(
            f"broker.time_zone: expected the name of a zone, was {broker.time_zone!r}"
        ) from error
    if broker.reconnect_first_s > broker.reconnect_max_s:
        raise ConfigurationError("broker.reconnect_max_s: expected reconnect_first_s or more")


def _check_flex(flex: FlexSettings) -> None:
    for field in dataclasses.fields(flex):
        value, least = getattr(flex, field.name), 0 if field.name.endswith("_ms") else 1
        if isinstance(value, int) and value < least:
            raise ConfigurationError(f"flex.{field.name}: expected {least} or more, was {value}")


def _check_vendors(vendors: VendorSettings) -> None:
    for field in dataclasses.fields(vendors):
        value = getattr(vendors, field.name)
        least = 0 if field.name in ("requests_per_second", "requests_per_day") else 1
        if isinstance(value, int) and not isinstance(value, bool):
            check_number(f"vendors.{field.name}", value, least)


def check_volatility(limits: VolatilitySettings) -> None:
    """Times and counts above zero, and limits of the regime in the order in which they are read."""
    for field in dataclasses.fields(limits):
        value, least = getattr(limits, field.name), 0 if field.name == "standby_every_s" else 1
        if isinstance(value, int):
            check_number(f"volatility.{field.name}", value, least)
    if not 0 < limits.benign_at < limits.elevated_at <= limits.shock_at:
        raise ConfigurationError(
            "volatility.benign_at, elevated_at, shock_at: expected 0 < rising, was "
            f"{limits.benign_at}, {limits.elevated_at}, {limits.shock_at}"
        )
    if limits.shock_change_5m <= 0 or limits.elevated_change_1h <= 0:
        raise ConfigurationError(
            "volatility.shock_change_5m, elevated_change_1h: expected points above 0, was "
            f"{limits.shock_change_5m}, {limits.elevated_change_1h}"
        )
    if limits.benign_z >= limits.elevated_z:
        raise ConfigurationError(
            f"volatility.benign_z: expected less than elevated_z, was {limits.benign_z}, {limits.elevated_z}"
        )
    if limits.fresh_for_s > limits.stale_after_s:
        raise ConfigurationError(
            "volatility.fresh_for_s: expected stale_after_s or less, was "
            f"{limits.fresh_for_s}, {limits.stale_after_s}"
        )
    if not 2 <= limits.samples_min <= limits.sessions_max <= SESSIONS_KEPT_MAX:
        raise ConfigurationError(
            "volatility.samples_min, sessions_max: expected 2 or more, rising, and at most "
            f"{SESSIONS_KEPT_MAX}, was {limits.samples_min}, {limits.sessions_max}"
        )


def _check_range(section: object, key: str, limits: tuple[tuple[str, int], ...]) -> None:
    for name, most in limits:
        if not 1 <= getattr(section, name) <= most:
            raise ConfigurationError(f"{key}.{name}: expected 1 to {most}, was {getattr(section, name)}")


def _check_gateway(gateway: GatewaySettings) -> None:
    ports, lines = (("port", PORT_MAX), ("control_port", PORT_MAX)), ("market_data_lines", LINES_MAX)
    _check_range(gateway, "gateway", (*ports, ("speed", SPEED_MAX), lines))
    if gateway.server_version not in SERVER_VERSIONS:
        raise ConfigurationError(
            f"gateway.server_version: expected one of {SERVER_VERSIONS}, was {gateway.server_version}"
        )


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    return str(getattr(value, "value", value))
