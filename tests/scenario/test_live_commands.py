"""`desk orders`, `desk positions`, `desk coverage` on a real warehouse and Redis, in-process."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from embedded_warehouse import start_migrated_warehouse
from fill_samples import ACCOUNT, NOON, batch, fill
from real_redis import redis_binary, start_redis
from told_answers import CALL, Told, position
from typer.testing import CliRunner

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_store import ClickHouseFillStore
from desk.cli import app
from trading.calendar import session_close, session_on_or_before
from trading.model.broker import BrokerEvent, BrokerEventKind, BrokerOrder, OutboxEntry
from trading.model.broker_payloads import payload_of
from trading.model.fills import CoverageInterval, Source, Venue

PAST = datetime.now(UTC) - timedelta(minutes=20)  # answers older than an hour are not looked at


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A warehouse and a Redis that the commands find in the environment."""
    pytest.importorskip("chdb", reason="the embedded engine is not installed")
    if redis_binary() is None:
        pytest.skip("no redis-server on this machine")
    home = tmp_path_factory.mktemp("desk")
    server = start_migrated_warehouse(home / "warehouse")
    redis = start_redis(Path(os.path.realpath(tmp_path_factory.mktemp("r"))))
    client = Warehouse(server.url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLICKHOUSE_URL", server.url)
        patch.setenv("REDIS_URL", redis.url)
        patch.setenv("DESK_HOME", str(home))
        yield client
    client.close()
    server.stop()
    redis.kill()


@pytest.fixture(scope="module", autouse=True)
def told(warehouse: Warehouse) -> Told:
    """Two calls of ours, heard long ago; the broker says three, twice, and then fails."""
    ClickHouseFillStore(warehouse).record(batch([fill("a.01")]), NOON)
    told = Told(warehouse, PAST)
    told(position(3))
    told(position(3))
    told(completeness="failed", reason="no answer in 20 s")
    return told


def _desk(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, (result.output, result.exception)
    return result.stdout


def _json(*arguments: str, code: int = 0) -> Any:
    return json.loads(_desk(*arguments, "--json", code=code).strip().splitlines()[-1])


def test_positions_are_ours_by_books_and_fills() -> None:
    """Without a word about a broker."""
    assert _json("positions") == [
        {
            "account": ACCOUNT, "instrument_id": CALL, "conid": 893396239, "symbol": "CZR", "ours": "2",
            "mark": "0.73",
        }
    ]  # fmt: skip
    assert "CZR" in _desk("positions")


def test_live_positions_show_the_difference_and_how_the_newest_answer_ended() -> None:
    """Code 1: a difference that nothing explains; the failed answer is told, and concludes nothing."""
    told = _json("positions", "--live", code=1)
    (line,) = told["positions"]
    assert (line["ours"], line["theirs"], line["difference"], line["verdict"]) == ("2", "3", "-1", "differs")
    (answer,) = told["answers"]
    assert (answer["completeness"], answer["reason"]) == ("failed", "no answer in 20 s")
    assert answer["age_seconds"] > 60
    text = _desk("positions", "--live", code=1)
    assert "differs" in text
    assert "failed (no answer in 20 s)" in text


def _order(number: int, status: str, **changes: Any) -> OutboxEntry:
    row: dict[str, Any] = {
        "account": ACCOUNT, "perm_id": f"7{number}", "order_ref": f"ref-{number}", "client_id": 11,
        "order_id": number, "parent_perm_id": "", "conid": 893396239, "instrument_id": CALL, "symbol": "CZR",
        "side": "BUY",
        "order_type": "LMT", "quantity": Decimal(2), "limit_price": Decimal("0.730"), "stop_price": None,
        "time_in_force": "DAY", "oca_group": "", "oca_type": 0, "status": status, "filled": Decimal(0),
        "remaining": Decimal(2), "average_price": None,
    }  # fmt: skip
    at = PAST + timedelta(minutes=5, seconds=number)
    event = BrokerEvent(
        kind=BrokerEventKind.ORDER, heard_at=at, account=ACCOUNT,
        payload=payload_of(BrokerOrder(**{**row, **changes})),
    )  # fmt: skip
    return OutboxEntry(
        stream="outbox:broker:{IBKR}", entry_id=f"{int(at.timestamp() * 1000)}-0", epoch="e",
        sequence=100 + number, event=event,
    )  # fmt: skip


def test_orders_are_shown_as_they_were_last_told(told: Told) -> None:
    """Newest first; --working leaves out what is done; figures are shown without padding."""
    assert _json("orders") == []
    told.store.record([_order(1, "Submitted"), _order(2, "Filled", filled=Decimal(2))], [], PAST)
    assert [row["order_ref"] for row in _json("orders")] == ["ref-2", "ref-1"]
    (working,) = _json("orders", "--working", "--account", ACCOUNT)
    assert (working["status"], working["limit_price"], working["quantity"]) == ("Submitted", "0.73", "2")
    assert "ref-1" in _desk("orders")
    assert _json("orders", "--account", "nobody") == []


def _covered(warehouse: Warehouse, session: date, end: datetime, source: Source) -> None:
    start = end.replace(hour=4, minute=0, second=0)
    interval = CoverageInterval(venue=Venue.IBKR, account=ACCOUNT, source=source, start=start, end=end)
    ClickHouseFillStore(warehouse).record(batch(source=source, coverage=(interval,)), NOON)


def test_coverage_names_the_holes_of_a_session(warehouse: Warehouse) -> None:
    """Code 1 with the hours; after a statement covers them code 0, and what was left live is still seen."""
    session = session_on_or_before((PAST - timedelta(days=3)).date())
    close = session_close(session)
    _covered(warehouse, session, close - timedelta(hours=1), Source.SAME_DAY)
    (row,) = _json("coverage", "--session", str(session), code=1)
    assert row["hole_seconds"] == 75 * 60
    assert [hole["from"] for hole in row["holes"]] == [(close - timedelta(hours=1)).isoformat()]
    assert "75.0" in _desk("coverage", "--session", str(session), code=1)
    _covered(warehouse, session, close + timedelta(hours=2), Source.STATEMENT)
    (row,) = _json("coverage", "--session", str(session))
    assert (row["hole_seconds"], row["hole_seconds_of_live_capture"]) == (0, 75 * 60)


def test_a_day_without_a_session_is_wrong_use() -> None:
    """Code 2: nothing can be covered on a Saturday."""
    result = CliRunner().invoke(app, ["coverage", "--session", "2026-07-18"])
    assert "session of the exchange" in str(result.exception)


def test_without_anything_told_the_commands_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account that nobody knows has no orders and no positions."""
    assert "No working orders" in _desk("orders", "--working", "--account", "nobody")
    assert "Nothing is held" in _desk("positions", "--account", "nobody")
