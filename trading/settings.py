"""The typed settings tree: every choice the desk can be given, as frozen values.

One section per file of `config/`; `adapters/configuration` reads files and environment and builds this tree.
Keep out: reading anything, defaults that depend on the machine, secrets in a representation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from enum import Enum
from pathlib import Path

from trading.market_settings import (
    HistorySettings,
    IngestSettings,
    MarketSettings,
    StubSettings,
    VendorSettings,
    VolatilitySettings,
)


class LotMethod(Enum):
    """Which open lot a closing fill takes first."""

    FIFO = "fifo"
    LIFO = "lifo"
    AVERAGE = "average"


@dataclass(frozen=True, slots=True, kw_only=True)
class PathSettings:
    """Where things lie on this machine. Never part of the configuration's hash."""

    project_root: Path
    home: Path
    inbox: Path
    archive: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """Addresses with their credentials; None means: not given, and the embedded stack is not up."""

    warehouse_url: str | None = field(default=None, repr=False)
    warehouse_reader_url: str | None = field(default=None, repr=False)
    redis_url: str | None = field(default=None, repr=False)
    dagster_url: str | None = None
    warehouse_cluster: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSettings:
    """The embedded stack: the ports it likes best (taken ones are replaced by free ones) and its limits."""

    warehouse_port: int
    redis_port: int
    dagster_port: int
    code_server_port: int
    start_deadline_s: int
    redis_memory_max_mb: int
    concurrent_runs_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BookSettings:
    """How the books are kept."""

    lot_method: LotMethod
    base_currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPolicy:
    """What one account may do; accounts without a policy of their own take `default_account`."""

    entries_before_reconciled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciliationSettings:
    """When the broker is compared with us, what counts as a break, and what a break locks.

    Money is in base currency. A break of unknown size locks the account.
    """

    break_at: Decimal
    lock_contract_below: Decimal
    lock_underlying_below: Decimal
    provisional_after_close_min: int
    final_at: time
    final_retry_until: time
    final_retry_every_min: int
    default_account: AccountPolicy
    accounts: Mapping[str, AccountPolicy]


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxSettings:
    """How files are picked up from the inbox folder."""

    file_bytes_max: int
    files_per_tick_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FlexSettings:
    """The broker's Flex Web Service; without token and query id nothing is fetched.

    `hosts` are names with blanks between them: the only ones that the token is sent to, by https.
    `attempts_max` bounds the failures of one step, `polls_max` the questions for a statement in the making.
    """

    token: str | None = field(default=None, repr=False)
    activity_query: str | None = field(default=None, repr=False)
    confirmation_query: str | None = field(default=None, repr=False)
    base_url: str
    hosts: str
    request_interval_ms: int
    attempts_max: int
    polls_max: int
    backoff_first_ms: int
    connect_timeout_s: int
    answer_timeout_s: int
    statement_bytes_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueSettings:
    """Accounts at Kalshi and Kraken Futures; one without its key is not asked."""

    kalshi_account: str
    kalshi_key_id: str | None = field(default=None, repr=False)
    kalshi_key_file: str | None = None
    kalshi_url: str
    kraken_account: str
    kraken_key: str | None = field(default=None, repr=False)
    kraken_secret: str | None = field(default=None, repr=False)
    kraken_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """The simulated broker gateway of the stack; it runs only where it is asked for.

    `session` None is the session after the sample desk's month; `faults` None plays without faults. `speed`
    is simulated seconds per second. With `pauses` the clock stands still at the session's end, and again on
    the next morning, until it is told to go on. `data` is a folder of recorded files that is played instead
    of a drawn market. `market_data_lines` is how many lines its login may have.
    """

    enabled: bool
    port: int
    control_port: int
    data: Path | None
    market_data_lines: int
    seed: int
    speed: int
    session: date | None
    faults: Path | None
    pauses: bool
    server_version: int


class BrokerLibrary(Enum):
    """The client library of the broker session; only one of them can be installed in an environment."""

    IB_INSYNC = "ib_insync"
    IB_ASYNC = "ib_async"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSettings:
    """Where the broker's gateway is, and how the broker session talks with it; no host: there is no broker.

    `speed` is broker seconds per second: 1 for a real broker, more for a simulated one. What happens in the
    broker's day (`sweep_every_s` to `quiet_period_s`) is in broker seconds; what concerns the connection
    (`heartbeat_every_s` to the end) is in seconds of this machine. `simulated_clock` says that the gateway
    plays another day than today, so that only the pace of its clock can be judged.
    """

    host: str | None
    port: int
    client_id: int
    library: BrokerLibrary
    time_zone: str
    speed: int
    simulated_clock: bool
    sweep_every_s: int
    sweep_before_midnight_s: int
    positions_every_s: int
    account_values_every_s: int
    quiet_period_s: int
    heartbeat_every_s: int
    silence_after_s: int
    connect_timeout_s: int
    request_timeout_s: int
    order_timeout_s: int
    reconnect_first_s: int
    reconnect_max_s: int
    messages_per_s_max: int
    requests_waiting_max: int
    spool_events_max: int
    clock_skew_max_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole tree. `configuration_hash` covers the choices, not paths, addresses or secrets."""

    paths: PathSettings
    services: ServiceSettings
    stack: StackSettings
    books: BookSettings
    reconciliation: ReconciliationSettings
    inbox: InboxSettings
    flex: FlexSettings
    venues: VenueSettings
    gateway: GatewaySettings
    broker: BrokerSettings
    market: MarketSettings
    ingest: IngestSettings
    vendors: VendorSettings
    stubs: StubSettings
    volatility: VolatilitySettings
    history: HistorySettings
    configuration_hash: str
