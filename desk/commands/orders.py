"""`desk orders`: orders as the broker last told them."""

from typing import Annotated, Any

import typer

from adapters.clickhouse.broker_event_store import ClickHouseBrokerEventStore
from adapters.configuration import load_settings
from adapters.wiring import open_warehouse
from desk.answers import AsJson, ExitCode, as_mapping, finish, print_json, print_table, say
from trading.ports.broker_events import OrderState

COLUMNS = (
    "account", "order_ref", "perm_id", "instrument_id", "side", "order_type", "quantity", "limit_price",
    "status", "filled", "average_price", "heard",
)  # fmt: skip
FIGURES = ("quantity", "limit_price", "stop_price", "filled", "remaining", "average_price")
SHOWN_MAX = 200


def orders(
    working: Annotated[bool, typer.Option("--working", help="Only those that may still be filled.")] = False,
    account: Annotated[str, typer.Option("--account", help="One account; else all.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show orders as they were last told, newest first. An order is its reference and permanent number.

    Examples:

        desk orders

        desk orders --working --account U1000001

        desk orders --json
    """
    store = ClickHouseBrokerEventStore(open_warehouse(load_settings()))
    rows = [_row(state) for state in store.orders([account] if account else [], working_only=working)]
    if as_json:
        print_json(rows)
    elif rows:
        shown = [[row[name] for name in COLUMNS] for row in rows[:SHOWN_MAX]]
        print_table("", COLUMNS, shown, right=(*FIGURES,))
        if len(rows) > SHOWN_MAX:
            say(f"{len(rows) - SHOWN_MAX} older ones are not shown; --json has all.")
    else:
        say("No orders." if not working else "No working orders.")
    finish(ExitCode.DONE)


def _row(state: OrderState) -> dict[str, Any]:
    """An order as plain values."""
    told = dict(as_mapping(state.order))
    told |= {name: _plain(told[name]) for name in FIGURES}
    return told | {
        "is_working": state.is_working,
        "first_heard_at": state.first_heard_at,
        "last_heard_at": state.last_heard_at,
        "broker_at": state.broker_at,
        "heard": f"{state.last_heard_at:%Y-%m-%d %H:%M:%S}",
    }


def _plain(figure: Any) -> str | None:
    return None if figure is None else format(figure.normalize(), "f")
