"""Kalshi's YES and NO are one market, and no malformed row costs a good one."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from venue_rows import BROKEN_DOCUMENTS, HUGE, MANY_KEYS, NO_ROWS, with_bad_row

from adapters.kalshi.normalize import normalize
from trading.model.fills import FillBatch, Side, Source
from trading.model.instruments import Event, gross_pnl

REST: dict[str, Any] = {
    "fill_id": "f-0001",
    "trade_id": "f-0001",
    "order_id": "o-0001",
    "client_order_id": "ref-1",
    "ticker": "KXBTC-26NOV2017-T90000",
    "side": "yes",
    "action": "buy",
    "count_fp": "10.00",
    "yes_price_dollars": "0.5600",
    "no_price_dollars": "0.4400",
    "fee_cost": "0.172500",
    "is_taker": True,
    "created_time": "2026-11-20T20:15:30.123456Z",
    "subaccount_number": 0,
}
SOCKET: dict[str, Any] = {
    "type": "fill",
    "sid": 13,
    "msg": {
        "trade_id": "f-0001",
        "order_id": "o-0001",
        "client_order_id": "ref-1",
        "market_ticker": "KXBTC-26NOV2017-T90000",
        "is_taker": True,
        "side": "yes",
        "yes_price": 56,
        "yes_price_dollars": "0.5600",
        "count": 10,
        "count_fp": "10.00",
        "action": "buy",
        "fee_cost": "0.172500",
        "ts": 1795205730,
    },
}
GOOD = (json.dumps(REST | {"fill_id": "good-1"}), json.dumps(REST | {"fill_id": "good-2"}))
ABSENT = object()


def without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def read(document: object) -> FillBatch:
    payload = document if isinstance(document, bytes | str) else json.dumps(document)
    return normalize(payload, account="main", source=Source.BACKFILL, origin="test")


def test_a_fill_is_read_exactly() -> None:
    """Price and count keep their digits; the trade date is New York's; the fee is a cost in dollars."""
    batch = read({"fills": [REST], "cursor": ""})
    (fill,) = batch.fills
    assert fill.instrument == Event(venue="kalshi", ticker="KXBTC-26NOV2017-T90000")
    assert fill.fill_ts == datetime(2026, 11, 20, 20, 15, 30, 123_456, tzinfo=UTC)
    assert (fill.side, fill.quantity, fill.price) == (Side.BUY, Decimal(10), Decimal("0.56"))
    assert (fill.trade_date, fill.session) == (date(2026, 11, 20), date(2026, 11, 20))
    assert (fill.liquidity, fill.order_ref, fill.account) == ("taker", "ref-1", "main")
    assert batch.commissions[0].amount == Decimal("0.1725")
    assert batch.rejected == ()


@pytest.mark.parametrize(
    "document",
    [
        {"fills": [REST], "cursor": "abc"},
        SOCKET,
        [SOCKET],
        [
            {"id": 1, "type": "subscribed", "msg": {"channel": "fill", "sid": 13}},
            SOCKET,
            {"type": "ok", "sid": 13},
        ],
        [REST],
        REST,
        [{"fills": [REST], "cursor": "x"}, {"fills": [], "cursor": ""}],
    ],
)
def test_every_envelope_gives_the_same_fill(document: object) -> None:
    """A REST page, a socket message, a recorded stream and a plain list tell one fill."""
    batch = read(document)
    told = [
        (f.fill_id, f.instrument, f.side, f.quantity, f.price, f.session, f.liquidity) for f in batch.fills
    ]
    (expected,) = read([REST]).fills
    assert told == [
        (
            expected.fill_id,
            expected.instrument,
            expected.side,
            expected.quantity,
            expected.price,
            expected.session,
            "taker",
        )
    ]
    assert batch.rejected == ()


@pytest.mark.parametrize(
    ("direction", "side"),
    [
        ({"action": "buy", "side": "yes"}, Side.BUY),
        ({"action": "sell", "side": "no"}, Side.BUY),
        ({"action": "sell", "side": "yes"}, Side.SELL),
        ({"action": "buy", "side": "no"}, Side.SELL),
        ({"outcome_side": "yes"}, Side.BUY),
        ({"outcome_side": "no"}, Side.SELL),
        ({"book_side": "bid"}, Side.BUY),
        ({"book_side": "ask"}, Side.SELL),
        ({"outcome_side": "no", "book_side": "ask", "action": "buy", "side": "no"}, Side.SELL),
        ({"action": " BUY ", "side": "Yes"}, Side.BUY),
    ],
)
def test_yes_and_no_are_one_market(direction: dict[str, Any], side: Side) -> None:
    """Buying NO is selling YES; the price is YES's, whichever side was traded."""
    (fill,) = read([without(REST, "action", "side") | direction]).fills
    assert (fill.side, fill.price) == (side, Decimal("0.56"))


def test_no_at_p_is_short_yes_at_one_minus_p() -> None:
    """NO bought at 0.44 is YES sold at 0.56: settling at 0 it wins 0.56 a contract."""
    row = without(REST, "yes_price_dollars", "side") | {"side": "no"}
    (fill,) = read([row]).fills
    assert (fill.side, fill.price) == (Side.SELL, Decimal("0.56"))
    assert gross_pnl(fill.instrument, fill.price, Decimal(0), fill.signed_quantity) == Decimal("5.6")


@pytest.mark.parametrize(
    "prices",
    [
        {"yes_price_dollars": "0.5600"},
        {"no_price_dollars": "0.4400"},
        {"yes_price_fixed": "0.5600", "no_price_fixed": "0.44"},
        {"yes_price": 56},
        {"no_price": 44},
        {"yes_price": 56, "no_price_dollars": "0.44"},
    ],
)
def test_every_spelling_of_a_price_is_one_price(prices: dict[str, Any]) -> None:
    """Dollars in text, the fixed-point fields and whole cents tell the same."""
    bare = without(REST, "yes_price_dollars", "no_price_dollars")
    assert read([bare | prices]).fills[0].price == Decimal("0.56")


def test_fractional_contracts_and_subpenny_prices_are_kept() -> None:
    """Counts have two decimals and prices four."""
    row = REST | {"count_fp": "232.54", "yes_price_dollars": "0.5675", "no_price_dollars": "0.4325"}
    (fill,) = read([row]).fills
    assert (fill.quantity, fill.price) == (Decimal("232.54"), Decimal("0.5675"))


def test_old_names_of_id_and_market_are_read() -> None:
    """`trade_id` and `market_ticker` are the older names; `fill_id` wins where both are."""
    old = without(REST, "fill_id", "ticker") | {"market_ticker": "KXBTC-26NOV2017-T90000"}
    assert read([old]).fills[0].fill_id == "f-0001"
    assert read([REST | {"trade_id": "older"}]).fills[0].fill_id == "f-0001"


def test_subaccounts_are_accounts() -> None:
    """Two subaccounts do not share positions."""
    assert read([REST | {"subaccount_number": 2}]).fills[0].account == "main/2"
    assert read([without(REST, "subaccount_number")]).fills[0].account == "main"


def test_rest_and_the_socket_name_one_subaccount() -> None:
    """One fill told by both is one fill of one account, though each has a name of its own for it."""
    by_socket = without(REST, "subaccount_number")
    assert read([by_socket | {"subaccount": 2}]).fills[0].account == "main/2"
    assert read([REST | {"subaccount_number": 2, "subaccount": 2}]).fills[0].account == "main/2"
    (refused,) = read([REST | {"subaccount_number": 0, "subaccount": 2}]).rejected
    assert refused.field == "subaccount_number"


@pytest.mark.parametrize(
    "refusal",
    [
        {"error": {"code": "token_authentication_failure", "message": "bad token"}},
        {"code": "unauthorized", "message": "bad token"},
        {"type": "error", "id": 1, "sid": 3, "msg": {"code": 9, "msg": "bad token"}},
    ],
)
def test_a_refusal_is_a_refused_file_with_the_venues_words(refusal: dict[str, Any]) -> None:
    """No fills in it are not "no fills"."""
    batch = read(refusal)
    assert [(row.field, "bad token" in row.reason) for row in batch.rejected] == [("file", True)]


def test_a_rebate_stays_negative_and_no_fee_is_no_fact() -> None:
    """Signs are the house's own; an absent fee is not zero."""
    assert read([REST | {"fee_cost": "-0.01"}]).commissions[0].amount == Decimal("-0.01")
    assert read([without(REST, "fee_cost")]).commissions == ()


def test_an_unreadable_fee_does_not_cost_the_fill() -> None:
    """The position is right at once; the fee is in the dead letter and is no trade row."""
    batch = read([REST | {"fee_cost": "free"}])
    assert len(batch.fills) == 1
    assert [(row.field, row.is_trade_row) for row in batch.rejected] == [("fee_cost", False)]


def test_evening_fills_belong_to_new_yorks_day_and_the_next_session() -> None:
    """Friday 23:30 in New York is Friday, Saturday in UTC; a Saturday fill lies in Monday's partition."""
    friday = read([REST | {"created_time": "2026-11-21T04:30:00Z"}]).fills[0]
    saturday = read([REST | {"created_time": "2026-11-21T15:00:00Z"}]).fills[0]
    assert (friday.trade_date, friday.session) == (date(2026, 11, 20), date(2026, 11, 20))
    assert (saturday.trade_date, saturday.session) == (date(2026, 11, 21), date(2026, 11, 23))


def test_two_equal_fills_without_id_are_two() -> None:
    """Two identical partial fills get two names, the same in every shape."""
    nameless = without(REST, "fill_id", "trade_id")
    names = [fill.fill_id for fill in read([nameless, nameless]).fills]
    assert len(set(names)) == 2
    shuffled = dict(reversed(nameless.items()))
    assert [fill.fill_id for fill in read({"fills": [shuffled, nameless]}).fills] == names


def changed(**changes: Any) -> str:
    row = REST | {"fill_id": "bad", "client_order_id": "the bad one"} | changes
    return json.dumps({name: value for name, value in row.items() if value is not ABSENT})


def raw_value(field: str, text: str) -> str:
    return changed(**{field: "@@"}).replace('"@@"', text)


MALFORMED: list[tuple[str, str, str]] = [
    ("no id and no order to hash", changed(fill_id=ABSENT, trade_id=ABSENT, order_id=ABSENT), "order_id"),
    ("blank ids", changed(fill_id=" ", trade_id="", order_id=""), "order_id"),
    ("id as boolean", changed(fill_id=True), "fill_id"),
    ("id as object", changed(fill_id={"a": 1}), "fill_id"),
    ("id with a line break", changed(fill_id="a\nb"), "fill_id"),
    ("id of ten megabytes", changed(fill_id=HUGE), "row"),
    ("extra field of ten megabytes", changed(extra=HUGE), "row"),
    ("no market", changed(ticker=ABSENT), "ticker"),
    ("blank market", changed(ticker="  "), "ticker"),
    ("market as number with point", raw_value("ticker", "1.5"), "ticker"),
    ("market with a lone surrogate", changed(ticker="KX\udfff"), "ticker"),
    ("market of a hundred characters", changed(ticker="K" * 100), "ticker"),
    ("no time", changed(created_time=ABSENT), "created_time"),
    ("null time", changed(created_time=None), "created_time"),
    ("time without zone", changed(created_time="2026-11-20T20:15:30"), "created_time"),
    ("time that is no date", changed(created_time="2026-13-20T20:15:30Z"), "created_time"),
    ("time as words", changed(created_time="now"), "created_time"),
    ("time as float", raw_value("created_time", "1795205730.5"), "created_time"),
    ("time as list", changed(created_time=[]), "created_time"),
    ("time zero", changed(created_time=0), "created_time"),
    ("time before the venue", changed(created_time="1969-12-31T23:59:59Z"), "created_time"),
    ("time beyond the calendar", changed(created_time="2050-01-03T20:15:30Z"), "day"),
    ("count zero", changed(count_fp="0.00"), "count_fp"),
    ("count negative", changed(count_fp="-1"), "count_fp"),
    ("count NaN", raw_value("count_fp", "NaN"), "count_fp"),
    ("count infinite", changed(count_fp="Infinity"), "count_fp"),
    ("count 1e308", raw_value("count_fp", "1e308"), "count_fp"),
    ("count absent", changed(count_fp=ABSENT), "count_fp"),
    ("count as words", changed(count_fp="ten"), "count_fp"),
    ("count as boolean", changed(count_fp=True), "count_fp"),
    ("count of five thousand digits", raw_value("count_fp", "1" * 5000), "count_fp"),
    ("price above one", changed(yes_price_dollars="1.01", no_price_dollars=ABSENT), "yes_price_dollars"),
    ("price negative", changed(yes_price_dollars="-0.01", no_price_dollars=ABSENT), "yes_price_dollars"),
    ("price NaN", raw_value("yes_price_dollars", "NaN"), "yes_price_dollars"),
    ("price absent", changed(yes_price_dollars=ABSENT, no_price_dollars=ABSENT), "yes_price_dollars"),
    ("prices that do not add up", changed(no_price_dollars="0.45"), "no_price_dollars"),
    (
        "cents that are dollars",
        changed(yes_price_dollars=ABSENT, no_price_dollars=ABSENT, yes_price="0.56"),
        "yes_price",
    ),
    (
        "cents above a dollar",
        changed(yes_price_dollars=ABSENT, no_price_dollars=ABSENT, yes_price=101),
        "yes_price",
    ),
    ("price as object", changed(yes_price_dollars={}), "yes_price_dollars"),
    ("no direction", changed(action=ABSENT, side=ABSENT), "side"),
    ("action without side", changed(side=ABSENT), "side"),
    ("side without action", changed(action=ABSENT), "side"),
    ("unknown side", changed(side="maybe"), "side"),
    ("unknown action", changed(action="hold"), "side"),
    ("directions that contradict", changed(outcome_side="no"), "side"),
    ("book side that contradicts", changed(book_side="ask"), "side"),
    ("side as number", changed(side=1), "side"),
    ("taker as text", changed(is_taker="yes"), "is_taker"),
    ("subaccount as text", changed(subaccount_number="2"), "subaccount_number"),
    ("subaccount negative", changed(subaccount_number=-1), "subaccount_number"),
    ("order id as list", changed(order_id=["x"]), "order_id"),
    ("the same key twice", changed()[:-1] + ', "count_fp": "11"}', "count_fp"),
    ("a number of ten megabytes", raw_value("count_fp", "9" * 10_000_000), "row"),
    ("a fraction of ten megabytes", raw_value("count_fp", "0." + "9" * 10_000_000), "row"),
    ("two hundred thousand keys, each twice", changed()[:-1] + MANY_KEYS, "k0"),
    ("nested beyond sense", raw_value("extra", "[" * 900 + "]" * 900), "row"),
]


@pytest.mark.parametrize(("bad", "field"), [row[1:] for row in MALFORMED], ids=[row[0] for row in MALFORMED])
def test_a_malformed_row_is_refused_and_costs_no_other(bad: str, field: str) -> None:
    """It raises nothing, is in the dead letter with its reason and itself, and both neighbors are read."""
    batch = read(with_bad_row(GOOD, bad))
    assert [fill.fill_id for fill in batch.fills] == ["good-1", "good-2"]
    (refused,) = batch.rejected
    assert refused.field == field
    assert refused.reason
    assert "the bad one" in refused.payload or '"fill_id":"bad"' in refused.payload
    assert len(refused.payload) < 100_000
    refused.payload.encode()
    assert batch.total_rows == 3


def test_quotes_and_unicode_in_a_market_are_only_characters() -> None:
    """A ticker with quotes or letters of another script is stored as it is, never interpreted."""
    for ticker in ("KX'); drop table core.fills; --", 'KX"Q"', "KXÉLECTION-Ü", "KX\\N"):
        (fill,) = read([REST | {"ticker": ticker}]).fills
        assert fill.instrument.symbol == ticker.upper()


@pytest.mark.parametrize("bad", NO_ROWS)
def test_what_is_no_row_is_refused_and_costs_no_other(bad: str) -> None:
    """A number, a text or a null among the fills is kept as it came."""
    batch = read(with_bad_row(GOOD, bad))
    assert len(batch.fills) == 2
    assert len(batch.rejected) == 1


@pytest.mark.parametrize(
    "document",
    [
        *BROKEN_DOCUMENTS,
        b'{"error": {"code": "unauthorized", "message": "no"}}',
        b'{"type": "fill", "sid": 1}',
        b'{"type": "fill", "sid": 1, "msg": "text"}',
        b"null",
    ],
)
def test_a_broken_document_is_refused_as_a_whole(document: bytes) -> None:
    """Nothing of it is trusted, nothing raises, and its beginning is kept for a person."""
    batch = read(document)
    assert batch.fills == ()
    (refused,) = batch.rejected
    assert refused.reason
    assert refused.field in ("file", "row")
    assert len(refused.payload) <= 65_536


SCALARS = st.none() | st.booleans() | st.floats() | st.integers() | st.text()
DOCUMENTS = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@settings(deadline=None)
@given(DOCUMENTS)
def test_no_json_raises(document: object) -> None:
    """Whatever JSON comes, it is a batch."""
    assert read(json.dumps(document)).fills == ()


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*sorted(REST), "outcome_side", "yes_price"]), SCALARS))
def test_no_changed_row_raises_or_is_lost(changes: dict[str, Any]) -> None:
    """A row with any field replaced by anything is either a fill or a refused row."""
    assert read([REST | changes]).total_rows == 1
