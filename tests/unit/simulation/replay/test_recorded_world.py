"""A world of recorded files: what stands at each moment, what prints, who is listed, what is odd."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from small_recording import (
    CALL,
    DAY,
    EARLY,
    OPENS_MS,
    moment,
    options,
    share,
    small_recording,
    ticks,
    universe,
)

from simulation.broker.questions import ContractQuery
from simulation.gateway import Gateway, GatewayPlan
from simulation.market.paths import epoch
from simulation.market.replay import RecordedWorld, recorded_world
from simulation.market.world import World
from simulation.sample_desk.contracts import Contract

CALL_SYMBOL, PUT_SYMBOL = "GOOG  160115C00750000", "GOOG  160115P00750000"
Side = tuple[str | None, int]


@pytest.fixture
def world(tmp_path: Path) -> RecordedWorld:
    """The early close, with the day before it in the same folder."""
    return recorded_world(small_recording(tmp_path), EARLY)


def contract(world: World, symbol: str) -> Contract:
    return next(each for each in world.listings.by_conid.values() if each.symbol == symbol)


def sides(
    world: RecordedWorld, at_ms: int, symbol: str = CALL_SYMBOL, day: date = EARLY
) -> tuple[Side, Side]:
    quote = world.tape.quote(contract(world, symbol), moment(day, at_ms))
    return (quote.bid and str(quote.bid), quote.bid_size), (quote.ask and str(quote.ask), quote.ask_size)


def test_a_minute_shows_open_low_high_and_ends_with_its_close(world: RecordedWorld) -> None:
    """Quarters of the minute, both sides together; sizes are those of its end."""
    told = [sides(world, OPENS_MS + second * 1000) for second in (0, 15, 30, 45, 59)]
    prices = [(bid[0], ask[0]) for bid, ask in told]
    assert prices == [("1", "1.3"), ("0.9", "1.25"), ("1.2", "1.5"), ("1.1", "1.4"), ("1.1", "1.4")]
    assert {(bid[1], ask[1]) for bid, ask in told} == {(5, 7)}


def test_what_stood_goes_on_where_a_minute_has_no_row_and_an_empty_side_is_nobody(
    world: RecordedWorld,
) -> None:
    """09:31 has no row; at 09:32 the ask is empty; a put has no bid all day."""
    assert sides(world, OPENS_MS + 119_999) == (("1.1", 5), ("1.4", 7))
    assert sides(world, OPENS_MS + 120_000) == (("1.1", 6), (None, 0))
    assert sides(world, OPENS_MS + 180_000) == (("1.1", 6), ("1.4", 9))
    assert sides(world, OPENS_MS, PUT_SYMBOL) == ((None, 0), ("2", 3))


def test_nobody_quotes_before_the_opening_or_from_the_close_on(world: RecordedWorld) -> None:
    """The 24th closes at one o'clock, the day before at four."""
    nobody = ((None, 0), (None, 0))
    assert sides(world, OPENS_MS - 1) == nobody
    assert sides(world, 46_799_999) != nobody == sides(world, 46_800_000)
    assert sides(world, 57_599_999, day=DAY) != nobody == sides(world, 57_600_000, day=DAY)


def test_the_next_change_is_never_late(world: RecordedWorld) -> None:
    """From each change to the next: between two of them the quote and the tape stand still."""
    call, now = contract(world, CALL_SYMBOL), moment(EARLY, OPENS_MS - 60_000)
    changes: list[datetime] = []
    while (following := world.tape.next_change(call, now)) < moment(EARLY, 86_000_000):
        before = world.tape.quote(call, following - timedelta(milliseconds=1))
        here = world.tape.quote(call, now)
        assert (before.bid, before.ask, before.bid_size, before.volume) == (
            here.bid,
            here.ask,
            here.bid_size,
            here.volume,
        )
        changes.append(following)
        now = following
    offsets = [(each - moment(EARLY, OPENS_MS)).total_seconds() for each in changes]
    assert offsets == [0, 15, 30, 45, 65, 80, 95, 110, 120, 180, 12_600]


def test_a_bar_of_trades_becomes_prints_of_its_prices_and_volume(world: RecordedWorld) -> None:
    """Open, low, high, close; ten contracts among them; the tape's own bar is the row again."""
    call = contract(world, CALL_SYMBOL)
    prints = world.tape.prints(call, moment(EARLY, OPENS_MS), moment(EARLY, OPENS_MS + 120_000))
    assert [(str(each.price), each.size) for each in prints] == [
        ("1.3", 2),
        ("1.2", 2),
        ("1.5", 2),
        ("1.4", 4),
    ]
    (bar,) = world.tape.bars(call, moment(EARLY, OPENS_MS + 120_000), 60, 60, "TRADES")
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == tuple(
        map(Decimal, ("1.3", "1.5", "1.2", "1.4", "10"))
    )


def test_bars_of_quotes_hold_what_stood(world: RecordedWorld) -> None:
    """The first minute is the row; the second, without one, is flat at what stood."""
    call = contract(world, CALL_SYMBOL)
    first, second = world.tape.bars(call, moment(EARLY, OPENS_MS + 120_000), 120, 60, "BID")
    assert (first.open, first.high, first.low, first.close) == tuple(map(Decimal, ("1", "1.2", "0.9", "1.1")))
    assert {second.open, second.high, second.low, second.close} == {Decimal("1.1")}


def test_prints_before_the_opening_are_not_of_the_session(world: RecordedWorld) -> None:
    """The share's file has a row at 09:28."""
    goog = contract(world, "GOOG")
    prints = world.tape.prints(goog, moment(EARLY, 0), moment(EARLY, 86_000_000))
    assert sum(each.size for each in prints) == 1_000
    assert world.quotes.spot_cents(goog.underlying, epoch(moment(EARLY, OPENS_MS - 60_000))) == 74_800  # type: ignore[arg-type]


def test_open_interest_and_greeks_are_the_files(world: RecordedWorld) -> None:
    """By session; where there is none, none is told."""
    call, put = contract(world, CALL_SYMBOL), contract(world, PUT_SYMBOL)
    assert (world.quotes.open_interest(call, EARLY), world.quotes.open_interest(put, EARLY)) == (321, 0)
    greeks = world.quotes.greeks(call, moment(EARLY, OPENS_MS))
    assert greeks is not None and (greeks.implied_volatility, greeks.delta, greeks.price) == (0.31, 0.5, 1.25)
    assert world.quotes.greeks(put, moment(EARLY, OPENS_MS)) is None


def test_a_series_keeps_its_id_whatever_lies_beside_it(tmp_path: Path) -> None:
    """Ids come from symbols: another folder with other series gives the same one."""
    here = recorded_world(small_recording(tmp_path / "a"), EARLY)
    options(tmp_path / "b", EARLY, "quote", {CALL: "34200000,1,1,1,1,1,2,2,2,2,1\n", "call_100_20160115": ""})
    there = recorded_world(tmp_path / "b")
    assert contract(here, CALL_SYMBOL).conid == contract(there, CALL_SYMBOL).conid
    assert contract(here, "GOOG").conid == 208813720


def test_a_contract_is_found_by_description_and_open_interest_alone_lists_nothing(
    world: RecordedWorld,
) -> None:
    """The strike of 999 has only open interest: it is named among the remarks instead."""
    query = ContractQuery(symbol="GOOG", sec_type="OPT", expiry="20160115", strike=Decimal(750), right="C")
    assert [record.contract.symbol for record in world.listings.find(query, EARLY)] == [CALL_SYMBOL]
    assert not world.listings.find(ContractQuery(symbol="GOOG", strike=Decimal(999)), EARLY)
    assert any("nobody quotes or trades: 1 (GOOG  160115C00999000)" in text for text in world.remarks())
    (chain, *_) = world.listings.chains("GOOG", EARLY)
    assert (chain.strikes, chain.expiries) == ((Decimal(750),), (date(2016, 1, 15),))


def test_rows_that_cannot_be_read_are_named_and_left_out(tmp_path: Path) -> None:
    """Bad rows of one file cost nothing but themselves."""
    rows = (
        "34200000,1,1,1,1,1,2,2,2,2,1\nnonsense\n34260000,1,1\n34320000,500,500,500,500,1,200,200,200,200,1\n"
    )
    options(tmp_path, EARLY, "quote", {CALL: rows})
    options(tmp_path, EARLY, "trade", {CALL: "34260000,100,90,80,85,5\n34320000,100,120,80,85,2\n"})
    (tmp_path / "option_minute" / "torn.zip").write_bytes(b"PK no")
    world = recorded_world(tmp_path)
    call = contract(world, CALL_SYMBOL)
    assert world.tape.quote(call, moment(EARLY, 34_330_000)).bid == Decimal("0.05")
    assert world.tape.prints(call, moment(EARLY, 0), moment(EARLY, 86_000_000)) == []
    told = "\n".join(world.remarks())
    for expected in (
        "quote_american.zip: rows that cannot be read: 2 (nonsense)",
        "quote_american.zip: rows whose closing bid is above the ask: 1",
        "trade_american.zip: rows that cannot be read: 1 (34260000,100,90,80,85,5)",
        "trade_american.zip: rows with fewer contracts than prices: 1",
        "torn.zip: is no archive",
    ):
        assert expected in told


def test_a_split_is_seen_by_its_factor_file(tmp_path: Path) -> None:
    """Open interest under the strikes of before, and a chain with each series twice, are named as that."""
    old, new = "call_6500000_20160115", "call_928600_20160115"
    options(tmp_path, EARLY, "quote", {new: "34200000,1,1,1,1,1,2,2,2,2,1\n"})
    options(tmp_path, EARLY, "openinterest", {old: "23460000,7\n"})
    greeks = "0.31,0.5,0.01,0.6,-0.4,0.2"
    rows = "".join(f"20160115,{strike},C,1,1,1,1,0,7,{greeks}\n" for strike in ("650", "92.86"))
    universe(tmp_path, EARLY, rows)
    factors = tmp_path / "reference" / "factor_file_goog.csv"
    factors.parent.mkdir()
    factors.write_text("20150101,1,0.0357143,1\nno day,1,x,1\n20151223,1,0.0357143,650\n20501231,1,0.25,0\n")
    told = "\n".join(recorded_world(tmp_path).remarks())
    assert "under strikes of before the split: 1 (GOOG  160115C00650000)" in told
    assert "series listed under their old and their new strike: 1 (GOOG  160115C00650000)" in told
    assert "factor_file_goog.csv: rows that cannot be read" in told


def test_each_side_of_a_tick_tape_is_carried_forward_and_suspicious_rows_are_dropped(tmp_path: Path) -> None:
    """The bid of before the opening stands at the opening; a suspicious ask never does."""
    ticks(
        tmp_path,
        DAY,
        "quote",
        "34100000,1800000,300,0,0,P,1,0\n34200005,0,0,1801000,200,Q,1,0\n"
        "34200005,0,0,1500000,900,Q,1,1\n34200700,1800500,100,0,0,K,1,0\n",
    )
    ticks(
        tmp_path, DAY, "trade", "34200006,1801000,50,Q,0,0\n34200006,1801000,50,Q,0,0\n34200007,1,1,D,0,1\n"
    )
    world = recorded_world(tmp_path)
    ibm = contract(world, "IBM")
    assert ibm.conid == 8314
    assert sides(world, OPENS_MS, "IBM", DAY) == (("180", 300), (None, 0))
    assert sides(world, OPENS_MS + 5, "IBM", DAY) == (("180", 300), ("180.1", 200))
    assert sides(world, OPENS_MS + 700, "IBM", DAY) == (("180.05", 100), ("180.1", 200))
    prints = world.tape.prints(ibm, moment(DAY, 0), moment(DAY, 86_000_000))
    assert [(each.at, each.size, each.exchange) for each in prints] == [
        (moment(DAY, 34_200_006), 50, "ISLAND")
    ] * 2


def test_sessions_that_follow_each_other_are_played_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    """Both days from the first on; a day that was not recorded is an error that lists those that were."""
    folder = small_recording(tmp_path)
    assert recorded_world(folder).sessions == (DAY, EARLY)
    assert recorded_world(folder, sessions=1).sessions == (DAY,)
    with pytest.raises(ValueError, match="expected one of 2015-12-23, 2015-12-24, was 2015-12-28"):
        recorded_world(folder, date(2015, 12, 28))
    with pytest.raises(ValueError, match="expected a folder of Lean files"):
        recorded_world(tmp_path / "nowhere")


def test_an_option_of_a_saturday_is_booked_on_its_friday(tmp_path: Path) -> None:
    """Before February 2015 monthly options expired on Saturdays: in the money on Friday is delivered then."""
    friday, saturday = date(2014, 6, 20), "call_5500000_20140621"
    bid, ask = ",".join(["100000"] * 4), ",".join(["101000"] * 4)
    options(tmp_path, friday, "quote", {saturday: f"34200000,{bid},9,{ask},9\n"})
    share(tmp_path, friday, "trade", "34200000,5600000,5600000,5600000,5600000,100\n")
    gateway = Gateway(GatewayPlan(data=tmp_path, speed=None, control_port=None))
    broker = gateway.broker
    (account,) = broker.ledgers
    call = contract(gateway.world, "GOOG  140621C00550000")
    opens = gateway.world.calendar.session_open(friday) + timedelta(seconds=30)
    broker.place_by_hand(account, call.conid, "BUY", Decimal(2), opens)
    broker.advance(opens + timedelta(seconds=5))
    assert [(view.contract.symbol, view.quantity) for view in broker.positions()] == [(call.symbol, 2)]
    broker.close_session(friday)
    assert [(view.contract.symbol, view.quantity) for view in broker.positions()] == [("GOOG", 200)]


def test_tapes_beyond_the_bound_are_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for one tape the answers are the same."""
    monkeypatch.setattr("simulation.market.replay_recording.TAPES_KEPT", 1)
    world = recorded_world(small_recording(tmp_path), EARLY)
    for _ in range(2):
        assert sides(world, OPENS_MS) == (("1", 5), ("1.3", 7))
        assert sides(world, OPENS_MS, PUT_SYMBOL) == ((None, 0), ("2", 3))
    assert len(world.recording.touch_tapes) == 1


def test_a_damaged_member_is_named_and_the_others_are_played(tmp_path: Path) -> None:
    """A byte that was turned in one series costs that series; a chain that is no gzip costs its greeks."""
    folder = small_recording(tmp_path)
    path = folder / "option_minute" / f"{EARLY:%Y%m%d}_quote_american.zip"
    data = bytearray(path.read_bytes())
    data[data.index(b"10000,12000")] ^= 0xFF
    path.write_bytes(data)
    (folder / "universe" / f"{EARLY:%Y%m%d}.csv.gz").write_bytes(b"no gzip")
    world = recorded_world(folder, EARLY)
    assert sides(world, OPENS_MS) == ((None, 0), (None, 0))
    assert sides(world, OPENS_MS, PUT_SYMBOL) == ((None, 0), ("2", 3))
    assert world.quotes.greeks(contract(world, CALL_SYMBOL), moment(EARLY, OPENS_MS)) is None
    told = "\n".join(world.remarks())
    assert "quote_american.zip: members that cannot be unpacked: 1 (" in told
    assert "20151224.csv.gz: cannot be unpacked" in told
