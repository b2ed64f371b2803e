"""Our messages against those recorded from a real gateway: same count of fields, same reading by the library.

Runs on the library that DESK_IB_LIBRARY names.
"""

import json
from dataclasses import asdict, is_dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from gateway_client import library, read, written

from simulation.broker.model import CommissionView, ExecutionView, OrderView, Status
from simulation.broker.questions import ContractRecord
from simulation.sample_desk.contracts import UNDERLYINGS, Contract, share_of
from simulation.tws.fields import Cursor
from simulation.tws.place_order import read_place_order
from simulation.tws.replies import contracts, executions, orders, session
from simulation.tws.replies.executions import TimeForm, time_text
from simulation.tws.tickets import ticket_of
from trading.model.times import NEW_YORK

ACCOUNT = "DU1234567"
AAPL = "aapl_mkt_order_2025_04_15"
TSLA = "tsla_mkt_order_2023_02_24"


@lru_cache(maxsize=1)
def recorded(folder: Path) -> dict[tuple[str, int], dict[str, Any]]:
    """The recorded messages by group and sequence."""
    lines = (folder / "ibkr-wire" / "messages.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    return {(row["group"], row["seq"]): row for row in rows}


def fields(folder: Path, group: str, seq: int) -> list[str]:
    return list(recorded(folder)[group, seq]["fields"])


def share(symbol: str) -> Contract:
    return share_of(next(each for each in UNDERLYINGS if each.symbol == symbol))


def market_order(
    symbol: str, version: int, *, order_id: int, perm_id: int, price: str | None = None
) -> OrderView:
    """The recorded order as the library places it today and our codec reads it."""
    ib = library()
    asked = ib.Stock(symbol, "SMART", "USD")
    texts = written(version, "placeOrder", order_id, asked, ib.MarketOrder("BUY", 100))
    placed = read_place_order(Cursor(texts[1:]), version)
    ticket = ticket_of(placed, client_id=100, default_account=ACCOUNT, contract=share(symbol))
    filled = Decimal(100 if price else 0)
    return OrderView(
        ticket=ticket,
        perm_id=perm_id,
        status=Status.FILLED if price else Status.PRE_SUBMITTED,
        filled=filled,
        remaining=100 - filled,
        average_price=Decimal(price or 0),
        last_price=Decimal(price or 0),
        placed_at=datetime(2025, 4, 15, 14, 38, tzinfo=NEW_YORK),
        ended_at=datetime(2025, 4, 15, 14, 38, 31, tzinfo=NEW_YORK) if price else None,
    )


def comparable(reading: tuple[str, tuple[Any, ...]]) -> list[Any]:
    """A library's objects as plain values: its orders are equal only to themselves."""
    name, arguments = reading
    return [name, *(asdict(each) if is_dataclass(each) else each for each in arguments)]  # type: ignore[arg-type]


ORDER_MESSAGES = [
    pytest.param((AAPL, 3, 173, "AAPL", 5, 600745656, None), id="working at 173"),
    pytest.param((AAPL, 6, 173, "AAPL", 5, 600745656, "201.94"), id="filled at 173"),
    pytest.param((TSLA, 0, 169, "TSLA", 13, 1376327563, None), id="working at 169"),
    pytest.param((TSLA, 0, 165, "TSLA", 13, 1376327563, None), id="working at 165"),
    pytest.param((TSLA, 3, 169, "TSLA", 13, 1376327563, "196.52"), id="filled at 169"),
]


@pytest.mark.parametrize("case", ORDER_MESSAGES)
def test_an_open_order_is_the_recorded_one_text_for_text(
    shared_data: Path, case: tuple[str, int, int, str, int, int, str | None]
) -> None:
    """All 136 (131 before version 170) texts of a placed market order are those a real gateway sent."""
    group, seq, version, symbol, order_id, perm_id, price = case
    order = market_order(symbol, version, order_id=order_id, perm_id=perm_id, price=price)
    ours = orders.open_order(order, version)
    theirs = fields(shared_data, group, seq)
    assert ours == theirs
    assert comparable(read(ours, version)) == comparable(read(theirs, version))


def test_the_commission_comes_in_the_open_order_once_more(shared_data: Path) -> None:
    """After the fill the order is told again with what it cost, as recorded."""
    order = market_order("TSLA", 169, order_id=13, perm_id=1376327563, price="196.52")
    state = orders.OrderState(commission=Decimal(1), currency="USD")
    assert orders.open_order(order, 169, state) == fields(shared_data, TSLA, 5)


@pytest.mark.parametrize(
    ("group", "seq", "symbol", "order_id", "perm_id", "price"),
    [
        (AAPL, 4, "AAPL", 5, 600745656, None),
        (AAPL, 7, "AAPL", 5, 600745656, "201.94"),
        (TSLA, 4, "TSLA", 13, 1376327563, "196.52"),
    ],
)
def test_an_order_status_is_the_recorded_one(
    shared_data: Path, group: str, seq: int, symbol: str, order_id: int, perm_id: int, price: str | None
) -> None:
    """Twelve texts, quantities and prices without a trailing zero."""
    order = market_order(symbol, 173, order_id=order_id, perm_id=perm_id, price=price)
    assert orders.order_status(order) == fields(shared_data, group, seq)


def recorded_execution(symbol: str, texts: list[str], at: datetime) -> ExecutionView:
    return ExecutionView(
        exec_id=texts[14],
        at=at,
        account=ACCOUNT,
        contract=share(symbol),
        exchange=texts[17],
        side=1,
        quantity=Decimal(100),
        price=Decimal(texts[20]),
        perm_id=int(texts[21]),
        client_id=100,
        order_id=int(texts[2]),
        cumulative=Decimal(100),
        average_price=Decimal(texts[25]),
        order_ref="",
        liquidity=2,
    )


@pytest.mark.parametrize(
    ("group", "seq", "version", "symbol", "at"),
    [
        (AAPL, 5, 173, "AAPL", datetime(2025, 4, 15, 19, 38, 31, tzinfo=NEW_YORK)),
        (TSLA, 2, 169, "TSLA", datetime(2023, 2, 24, 12, 4, 56, tzinfo=NEW_YORK)),
    ],
)
def test_an_execution_is_the_recorded_one_text_for_text(
    shared_data: Path, group: str, seq: int, version: int, symbol: str, at: datetime
) -> None:
    """All 31 texts, the time with two blanks and no zone as those gateways were set."""
    theirs = fields(shared_data, group, seq)
    execution = recorded_execution(symbol, theirs, at)
    ours = executions.execution(execution, executions.LIVE, lambda when: time_text(when, TimeForm.BARE))
    assert ours == theirs
    assert comparable(read(ours, version)) == comparable(read(theirs, version))


@pytest.mark.parametrize(("side", "word"), [(1, "BOT"), (-1, "SLD")])
def test_a_side_is_a_word(side: int, word: str) -> None:
    """Bought and sold are read as such; quantities have no sign."""
    template = ["11", "-1", "5", "", "", "", "", "", "", "", "", "", "", "", "a.b.01.01", "", ACCOUNT]
    template += ["IEX", "", "100", "201.94", "6", "100", "0", "100", "201.94"]
    at = datetime(2026, 11, 13, 10, 30, 5, tzinfo=NEW_YORK)
    sold = replace(recorded_execution("AAPL", template, at), side=side)
    _, (_, _, heard) = read(executions.execution(sold, 3, lambda when: time_text(when, TimeForm.ZONED)), 176)
    assert (heard.side, heard.shares) == (word, 100)


@pytest.mark.parametrize("form", list(TimeForm))
def test_every_form_of_the_time_is_read_as_the_same_moment(form: TimeForm) -> None:
    """With the zone set as the session sets it, the library reads two of the forms right and one wrong.

    The dashed UTC form is the known trap: its digits are taken for New York time.
    """
    at = datetime(2026, 11, 13, 10, 30, 5, tzinfo=NEW_YORK)
    template = ["11", "-1", "5", "265598", "AAPL", "STK", "", "0.0", "", "", "IEX", "USD", "AAPL", "NMS"]
    template += ["0000e0d5.67fe667b.01.01", "", ACCOUNT, "IEX", "BOT", "100", "201.94", "6", "100", "0"]
    template += ["100", "201.94", "", "", "", "", "2"]
    execution = recorded_execution("AAPL", template, at)
    message = executions.execution(execution, 3, lambda when: time_text(when, form))
    _, (_, _, heard) = read(message, 176)
    shift = at.astimezone(heard.time.tzinfo).utcoffset() if form is not TimeForm.DASHED_UTC else None
    assert (heard.time == at) is (form is not TimeForm.DASHED_UTC), (heard.time, shift)


def test_a_commission_report_is_the_recorded_one(shared_data: Path) -> None:
    """Unset profit and yield are the double maximum in Java's spelling."""
    report = CommissionView(
        exec_id="00025b46.63f8f39c.01.01", amount=Decimal(1), currency="USD", realized=None
    )
    assert executions.commission_report(report) == fields(shared_data, TSLA, 6)


def test_start_up_is_the_recorded_one(shared_data: Path) -> None:
    """Accounts, next id and notices: three, three and six texts."""
    assert session.managed_accounts([ACCOUNT]) == fields(shared_data, AAPL, 1)
    assert session.next_valid_id(5) == fields(shared_data, AAPL, 2)
    notice = session.error(173, -1, 2104, "Market data farm connection is OK:usfarm")
    assert notice == fields(shared_data, "farm_status_2025_03_23", 0)
    assert len(session.error(165, -1, 2104, "no field for a reject before 166")) == len(notice) - 1


def test_contract_details_have_the_recorded_count_of_texts(shared_data: Path) -> None:
    """A share with one security id has 42 texts, anything without has 40; both read without an error."""
    record = ContractRecord(
        contract=share("TSLA"),
        long_name="TESLA INC",
        min_tick=Decimal("0.01"),
        market_rule=26,
        exchanges=("SMART", "AMEX"),
        primary_exchange="NASDAQ",
    )
    theirs = fields(shared_data, "contract_details_tsla_smart", 0)
    ours = contracts.contract_details(9001, record, "SMART", 173)
    assert len(ours) == len(theirs)
    invented = {15, 16, 22, 23, 24, 26, 27, 35, 36, 37}  # order types, exchanges, industry, hours, rules
    same = [place for place in range(len(theirs)) if place not in invented]
    assert [ours[place] for place in same] == [theirs[place] for place in same]
    without = replace(record, contract=replace(record.contract, underlying=None))
    assert len(contracts.contract_details(9001, without, "SMART", 173)) == len(
        fields(shared_data, "contract_details_es_cme", 0)
    )
    assert read(ours, 173)[1][1].secIdList == read(theirs, 173)[1][1].secIdList


def test_a_completed_order_has_the_recorded_count_of_texts(shared_data: Path) -> None:
    """101 texts at version 170 and later, no order id, no client id; both read as a filled market order."""
    order = market_order("AAPL", 173, order_id=5, perm_id=1377295418, price="201.94")
    ours = orders.completed_order(order, 173, lambda at: "20231122 10:30:00 America/Los_Angeles")
    theirs = fields(shared_data, "completed_order_aapl", 0)
    assert len(ours) == len(theirs)
    changed_by_the_origin = {78, 81, 87}  # a made-up quantity and price where a flag and no stop stand
    differing = {place for place, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b}
    assert differing <= changed_by_the_origin, {place: (ours[place], theirs[place]) for place in differing}


def test_every_recorded_message_is_read_without_an_error(shared_data: Path) -> None:
    """The recordings themselves read on this library, so equality with them means something."""
    for (_, _), row in recorded(shared_data).items():
        if row["msg_id"] != row["server_version"]:
            version = {"162..169": 169, "164+": 173, "170+": 173}.get(row["server_version"], 173)
            read(row["fields"], version)
