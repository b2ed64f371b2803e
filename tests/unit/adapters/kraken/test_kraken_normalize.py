"""Kraken's two shapes give one identity, and no malformed row costs a good one."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from venue_rows import BROKEN_DOCUMENTS, HUGE, MANY_KEYS, NO_ROWS, with_bad_row

from adapters.kraken.normalize import normalize
from adapters.kraken.symbols import instrument_of
from trading.errors import InvalidFieldError
from trading.model.fills import FillBatch, Side, Source
from trading.model.instruments import Future, Perpetual, gross_pnl

REST: dict[str, Any] = {
    "fill_id": "cad76f07-814e-4dc6-8478-7867407b6bff",
    "symbol": "PI_XBTUSD",
    "side": "buy",
    "order_id": "9e30258b-5a98-4002-968a-5b0e149bcfbf",
    "fillTime": "2023-04-07T15:45:10.739Z",
    "size": 5000.0,
    "price": 27937.5,
    "fillType": "maker",
    "cli_ord_id": "ref-1",
    "fee_paid": 0.00008957,
    "fee_currency": "BTC",
}
SOCKET: dict[str, Any] = {
    "instrument": "PI_XBTUSD",
    "time": 1680882310739,
    "price": 27937.5,
    "seq": 36,
    "buy": True,
    "qty": 5000.0,
    "remaining_order_qty": 0.0,
    "order_id": "9e30258b-5a98-4002-968a-5b0e149bcfbf",
    "cli_ord_id": "ref-1",
    "fill_id": "cad76f07-814e-4dc6-8478-7867407b6bff",
    "fill_type": "maker",
    "fee_paid": 0.00008957,
    "fee_currency": "BTC",
}
GOOD = (json.dumps(REST | {"fill_id": "good-1"}), json.dumps(SOCKET | {"fill_id": "good-2"}))


def read(document: object, source: Source = Source.BACKFILL) -> FillBatch:
    payload = document if isinstance(document, bytes | str) else json.dumps(document)
    return normalize(payload, account="main", source=source, origin="test")


def facts(batch: FillBatch) -> list[tuple[Any, ...]]:
    return [
        (
            f.fill_id,
            f.instrument,
            f.side,
            f.quantity,
            f.price,
            f.fill_ts,
            f.session,
            f.order_id,
            f.order_ref,
            f.liquidity,
        )
        for f in batch.fills
    ]


def test_rest_and_socket_tell_one_fill() -> None:
    """Different names, time formats and sides: the same identity and the same facts."""
    rest, socket = read({"result": "success", "fills": [REST]}), read({"feed": "fills", "fills": [SOCKET]})
    assert facts(rest) == facts(socket)
    assert rest.commissions[0].content_hash == socket.commissions[0].content_hash


def test_a_fill_is_read_exactly() -> None:
    """Every digit stays; the time is the venue's, the trade date the UTC day, the partition a session."""
    batch = read({"result": "success", "fills": [REST]})
    (fill,) = batch.fills
    assert fill.fill_ts == datetime(2023, 4, 7, 15, 45, 10, 739_000, tzinfo=UTC)
    assert (fill.side, fill.quantity, fill.price) == (Side.BUY, Decimal(5000), Decimal("27937.5"))
    assert fill.trade_date == date(2023, 4, 7)
    assert fill.session == date(2023, 4, 10), "the 7th was Good Friday"
    assert batch.commissions[0].amount == Decimal("0.00008957")
    assert batch.commissions[0].currency == "BTC"
    assert json.loads(fill.raw)["fill_id"] == REST["fill_id"]
    assert batch.rejected == ()


@pytest.mark.parametrize(
    "document",
    [
        {"result": "success", "serverTime": "2023-04-07T16:00:00.000Z", "fills": [REST]},
        {"feed": "fills_snapshot", "account": "DemoUser", "fills": [SOCKET]},
        {"feed": "fills", "username": "6a70e882", "fills": [SOCKET]},
        [REST],
        [SOCKET],
        REST,
        [
            {"feed": "fills_snapshot", "fills": []},
            {"feed": "heartbeat"},
            {"event": "info"},
            {"feed": "fills", "fills": [SOCKET]},
        ],
        [{"result": "success", "fills": [REST]}, {"result": "success", "fills": []}],
    ],
)
def test_every_envelope_gives_the_same_fill(document: object) -> None:
    """A REST answer, a snapshot, a delta, pages, a recorded stream and a plain list are all read."""
    batch = read(document)
    assert facts(batch) == facts(read([REST]))
    assert batch.rejected == ()


def test_bom_and_bytes_are_read() -> None:
    """A file saved with a byte-order mark is the same file."""
    assert facts(read(b"\xef\xbb\xbf" + json.dumps([REST]).encode())) == facts(read([REST]))


def test_a_rebate_stays_negative() -> None:
    """A maker rebate is a negative cost; eleven decimals are rounded to nine with a warning."""
    batch = read({"feed": "fills", "fills": [SOCKET | {"fee_paid": -0.00009142857}]})
    assert batch.commissions[0].amount == Decimal("-0.000091429")
    assert batch.warnings == ("1 fees rounded to 9 places",)
    assert json.loads(batch.fills[0].raw, parse_float=Decimal)["fee_paid"] == Decimal("-0.00009142857")


def test_a_fill_without_fee_has_no_commission() -> None:
    """Absent is not zero; zero is a fact."""
    bare = {name: value for name, value in REST.items() if not name.startswith("fee")}
    assert read([bare]).commissions == ()
    assert read([bare | {"fee_paid": 0}]).commissions[0].amount == 0


@pytest.mark.parametrize("fee", ["NaN", "1e308", '"abc"', "true", "[]"])
def test_an_unreadable_fee_does_not_cost_the_fill(fee: str) -> None:
    """The position is right at once; the fee is in the dead letter and is no trade row."""
    row = json.dumps(REST).replace("8.957e-05", fee)
    batch = read(f"[{row}]")
    assert len(batch.fills) == 1
    assert batch.commissions == ()
    (refused,) = batch.rejected
    assert (refused.field, refused.is_trade_row) == ("fee_paid", False)
    assert batch.total_rows == 1


def test_times_in_seconds_and_milliseconds_are_recognized() -> None:
    """An export with seconds tells the same moment to the second; text digits are numbers."""
    moments = [
        read([SOCKET | {"time": at}]).fills[0].fill_ts
        for at in (1680882310, 1680882310000, 1680882310000000, "1680882310000", "2023-04-07T15:45:10+00:00")
    ]
    assert set(moments) == {datetime(2023, 4, 7, 15, 45, 10, tzinfo=UTC)}


NAMELESS = {name: value for name, value in SOCKET.items() if name not in ("fill_id", "seq")}


def test_two_equal_fills_in_one_millisecond_are_two() -> None:
    """Without ids, two identical partial fills get two names, the same in whatever shape they come."""
    twice = read([NAMELESS, NAMELESS])
    names = [fill.fill_id for fill in twice.fills]
    assert len(set(names)) == 2
    rest = {name: value for name, value in REST.items() if name != "fill_id"}
    assert [fill.fill_id for fill in read([rest, rest]).fills] == names
    assert read([NAMELESS]).fills[0].fill_id == names[0]


SCALARS = st.none() | st.booleans() | st.floats() | st.integers() | st.text()
DOCUMENTS = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@settings(deadline=None)
@given(st.permutations([NAMELESS | {"seq": n} for n in (1, 1, 2, 3)] + [NAMELESS | {"qty": 7}]))
def test_names_do_not_depend_on_the_order_of_arrival(rows: list[dict[str, Any]]) -> None:
    """Any order of the same rows gives the same named rows."""
    named = sorted((fill.fill_id, fill.raw) for fill in read(rows).fills)
    straight = sorted((fill.fill_id, fill.raw) for fill in read(sorted(rows, key=json.dumps)).fills)
    assert named == straight
    assert len({name for name, _ in named}) == 5


ABSENT = object()


def changed(**changes: Any) -> str:
    row = SOCKET | {"fill_id": "bad", "taker_order_type": "the bad one"} | changes
    return json.dumps({name: value for name, value in row.items() if value is not ABSENT})


def raw_value(field: str, text: str) -> str:
    return changed(**{field: "@@"}).replace('"@@"', text)


MALFORMED: list[tuple[str, str, str]] = [
    ("no id and no order id to hash", changed(fill_id=ABSENT, order_id=ABSENT), "order_id"),
    ("blank id and blank order id", changed(fill_id=" ", order_id=" "), "order_id"),
    ("no time", changed(time=ABSENT), "fillTime"),
    ("null time", changed(time=None), "fillTime"),
    ("time in the past of the venue", changed(time=0), "time"),
    ("time in the far future", changed(time=9_999_999_999_999), "time"),
    ("negative time", changed(time=-1680882310739), "time"),
    ("time as float", raw_value("time", "1680882310739.5"), "time"),
    ("time as exponent", raw_value("time", "1.680882310739e12"), "time"),
    ("time as boolean", changed(time=True), "time"),
    ("time as list", changed(time=[1680882310739]), "time"),
    ("time without zone", changed(time="2023-04-07T15:45:10.739"), "time"),
    ("time that is no date", changed(time="2023-02-30T15:45:10Z"), "time"),
    ("time as words", changed(time="yesterday"), "time"),
    ("time beyond the calendar", changed(time="2040-01-03T15:45:10Z"), "day"),
    ("time of five thousand digits", raw_value("time", "9" * 5000), "time"),
    ("price NaN", raw_value("price", "NaN"), "price"),
    ("price infinite", raw_value("price", "Infinity"), "price"),
    ("price 1e308", raw_value("price", "1e308"), "price"),
    ("price with an absurd exponent", raw_value("price", "1e999999999999999999999"), "price"),
    ("price zero", changed(price=0), "price"),
    ("price negative", changed(price=-1), "price"),
    ("price with too many digits", raw_value("price", "0.0000000000001"), "price"),
    ("price as words", changed(price="cheap"), "price"),
    ("price absent", changed(price=ABSENT), "price"),
    ("price null", changed(price=None), "price"),
    ("price as object", changed(price={"value": 1}), "price"),
    ("quantity zero", changed(qty=0), "qty"),
    ("quantity negative", changed(qty=-5), "qty"),
    ("quantity absent", changed(qty=ABSENT), "size"),
    ("quantity NaN", raw_value("qty", "NaN"), "qty"),
    ("quantity minus infinity", raw_value("qty", "-Infinity"), "qty"),
    ("quantity as boolean", changed(qty=True), "qty"),
    ("quantity as words with separators", changed(qty="5_000"), "qty"),
    ("side absent", changed(buy=ABSENT), "side"),
    ("side as number", changed(buy=1), "side"),
    ("side unknown", changed(buy=ABSENT, side="hold"), "side"),
    ("side contradicts itself", changed(side="sell"), "side"),
    ("symbol absent", changed(instrument=ABSENT), "symbol"),
    ("symbol of another market", changed(instrument="XBT/USD"), "symbol"),
    ("symbol with a quote", changed(instrument="PI_XBT'USD"), "symbol"),
    ("symbol with SQL", changed(instrument="PI_XBTUSD'); drop table core.fills; --"), "symbol"),
    ("symbol in unicode", changed(instrument="РI_XBTUSD"), "symbol"),
    ("symbol with a lone surrogate", changed(instrument="PI_\ud800USD"), "instrument"),
    ("symbol as number", changed(instrument=5), "symbol"),
    ("dated symbol without date", changed(instrument="FI_XBTUSD"), "symbol"),
    ("dated symbol with an impossible date", changed(instrument="FI_XBTUSD_200931"), "symbol"),
    ("id as list", changed(fill_id=["a"]), "fill_id"),
    ("id with a control character", changed(fill_id="a\x00b"), "fill_id"),
    ("id of ten megabytes", changed(fill_id=HUGE), "row"),
    ("extra field of ten megabytes", changed(note=HUGE), "row"),
    ("key of ten megabytes", changed(**{HUGE: 1}), "row"),
    ("order id as object", changed(order_id={}), "order_id"),
    ("the same key twice", changed()[:-1] + ', "qty": 6}', "qty"),
    ("a number of ten megabytes", raw_value("qty", "9" * 10_000_000), "row"),
    ("a fraction of ten megabytes", raw_value("qty", "0." + "9" * 10_000_000), "row"),
    ("two hundred thousand keys, each twice", changed()[:-1] + MANY_KEYS, "k0"),
    ("nested beyond sense", raw_value("note", "[" * 900 + "]" * 900), "row"),
]


@pytest.mark.parametrize(("bad", "field"), [row[1:] for row in MALFORMED], ids=[row[0] for row in MALFORMED])
def test_a_malformed_row_is_refused_and_costs_no_other(bad: str, field: str) -> None:
    """It raises nothing, is in the dead letter with its reason and itself, and both neighbors are read."""
    batch = read(with_bad_row(GOOD, bad))
    assert [fill.fill_id for fill in batch.fills] == ["good-1", "good-2"]
    (refused,) = batch.rejected
    assert refused.field == field
    assert refused.reason
    assert refused.account == "main"
    assert 0 < len(refused.payload) < 100_000
    assert "the bad one" in refused.payload or '"fill_id":"bad"' in refused.payload
    refused.payload.encode()
    assert batch.total_rows == 3


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
        b'{"result": "error", "error": "apiLimitExceeded", "serverTime": "2023-04-07T16:00:00.000Z"}',
        b'{"result": "success"}',
        b'{"feed": "fills"}',
        b"null",
        b"7",
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
    if document.strip():
        assert refused.payload


def test_a_refused_page_among_good_ones_costs_only_itself() -> None:
    """One page that says error leaves the others read."""
    batch = read([{"result": "success", "fills": [REST]}, {"result": "error", "error": "Unavailable"}])
    assert len(batch.fills) == 1
    assert "Unavailable" in batch.rejected[0].reason


@settings(deadline=None)
@given(DOCUMENTS)
def test_no_json_raises(document: object) -> None:
    """Whatever JSON comes, it is a batch."""
    assert read(json.dumps(document)).fills == ()


@settings(deadline=None)
@given(st.binary())
def test_no_bytes_raise(payload: bytes) -> None:
    """Whatever bytes come, it is a batch."""
    assert read(payload).fills == ()


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(REST | SOCKET)), SCALARS))
def test_no_changed_row_raises_or_is_lost(changes: dict[str, Any]) -> None:
    """A row with any field replaced by anything is either a fill or a refused row."""
    batch = read([REST | changes])
    assert batch.total_rows == 1


@pytest.mark.parametrize(
    ("symbol", "name", "inverse", "pays_in"),
    [
        ("PI_XBTUSD", "PERP:kraken:PI_XBTUSD", True, "BTC"),
        ("pi_ethusd", "PERP:kraken:PI_ETHUSD", True, "ETH"),
        ("PF_ETHUSD", "PERP:kraken:PF_ETHUSD", False, "USD"),
        ("PF_AAPLxUSD", "PERP:kraken:PF_AAPLXUSD", False, "USD"),
        ("PF_USDTUSD", "PERP:kraken:PF_USDTUSD", False, "USD"),
        ("PV_XRPXBT", "PERP:kraken:PV_XRPXBT", False, "BTC"),
        ("FI_XBTUSD_200925", "FUT:KRAKEN:FI_XBTUSD_200925", True, "BTC"),
        ("FF_XBTUSD_260327", "FUT:KRAKEN:FF_XBTUSD_260327", False, "USD"),
    ],
)
def test_symbols_say_what_they_pay(symbol: str, name: str, inverse: bool, pays_in: str) -> None:
    """The prefix tells perpetual or dated, and whether it pays in the coin."""
    instrument = instrument_of(symbol)
    assert instrument.instrument_id == name
    assert (instrument.inverse, instrument.settlement_currency) == (inverse, pays_in)
    assert isinstance(instrument, Future if name.startswith("FUT") else Perpetual)


@pytest.mark.parametrize("symbol", ["", "PI_USD", "in_xbtusd", "PI_XBTUSD_200925", "PX_XBTUSD", "rr_xbtusd"])
def test_other_symbols_are_refused(symbol: str) -> None:
    """Indexes and spot pairs are no contracts."""
    with pytest.raises(InvalidFieldError, match="symbol"):
        instrument_of(symbol)


def test_an_inverse_fill_pays_in_the_coin() -> None:
    """The instrument that comes out of a fill computes its own P&L."""
    fill = read([REST]).fills[0]
    assert gross_pnl(fill.instrument, fill.price, Decimal(30_000), fill.signed_quantity) == Decimal(
        "0.012304251"
    )


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("http_futures_fills.json", ["cad76f07", "b1aa44b2", "d3f4e5a6"]),
        ("ws_futures_fills_delta.json", ["6a22a3fb"]),
        ("ws_futures_fills_snapshot.json", ["cad76f07", "b1aa44b2"]),
    ],
)
def test_recorded_payloads_are_read_without_loss(shared_data: Path, name: str, ids: list[str]) -> None:
    """The captured and documented payloads give their fills and fees."""
    batch = read((shared_data / "kraken-futures" / name).read_bytes())
    assert [fill.fill_id[:8] for fill in batch.fills] == ids
    assert len(batch.commissions) == len(ids)
    assert batch.rejected == ()


def test_recorded_answers_about_other_things_are_refused_by_row(shared_data: Path) -> None:
    """Tickers and positions dropped into the fills inbox are told apart, not guessed at."""
    for name in ("http_futures_tickers.json", "http_futures_open_positions.json"):
        batch = read((shared_data / "kraken-futures" / name).read_bytes())
        assert batch.fills == ()
        assert batch.rejected


@pytest.mark.parametrize(
    "refusal",
    [
        {"result": "error", "error": "apiLimitExceeded", "serverTime": "2026-11-20T22:00:00Z"},
        {"result": "error", "errors": [{"code": 93, "message": "apiLimitExceeded"}], "status": "BAD_REQUEST"},
        {"event": "alert", "message": "apiLimitExceeded"},
        {"event": "error", "message": "apiLimitExceeded"},
        {"error": ["EAPI:apiLimitExceeded"]},
    ],
)
def test_a_refusal_is_a_refused_file_with_the_venues_words(refusal: dict[str, Any]) -> None:
    """No fills in it are not "no fills"."""
    batch = read(refusal)
    assert [(row.field, "apiLimitExceeded" in row.reason) for row in batch.rejected] == [("file", True)]


def test_the_spot_exchanges_history_is_refused_whole() -> None:
    """Pairs and volumes of another exchange are no futures fills."""
    trade = {"ordertxid": "O", "pair": "XXBTZUSD", "time": 1688667796.8802, "type": "buy", "vol": "0.02"}
    batch = read({"error": [], "result": {"trades": {"T": trade}, "count": 1}})
    assert [row.field for row in batch.rejected] == ["file"]
    assert "XXBTZUSD" in batch.rejected[0].payload
