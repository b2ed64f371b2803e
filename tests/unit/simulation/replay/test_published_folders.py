"""Folders as the origin project publishes them: what is played, and what is said of the rest."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from small_recording import CALL, DAY, EARLY, OPENS_MS, archive, moment, options, share, small_recording

from simulation.broker.questions import ContractQuery
from simulation.market.lean import read_folder
from simulation.market.lean_names import Kind, Resolution
from simulation.market.lean_rows import quote_row, quote_tick
from simulation.market.replay import RecordedWorld, recorded_world
from simulation.sample_desk.contracts import Contract

OPTION = "american_call_7500000_20160115"
EUROPEAN = "european_call_20500000_20151224"
QUOTE = "34200000,10000,12000,9000,11000,5,13000,15000,12500,14000,7"
NAMED_HEADER = (
    "#symbol_id,symbol_value,open,high,low,close,volume,open_interest,"
    "implied_volatility,delta,gamma,vega,theta,rho"
)


def contract(world: RecordedWorld, symbol: str) -> Contract:
    return next(each for each in world.listings.by_conid.values() if each.symbol == symbol)


def told(world: RecordedWorld) -> str:
    return "\n".join(world.remarks())


def text_file(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("header", [[NAMED_HEADER], []], ids=["with a header", "without"])
def test_a_chain_by_occ_symbols_has_its_greeks(tmp_path: Path, header: list[str]) -> None:
    """The older form of a chain file, with a header and without."""
    options(tmp_path, EARLY, "quote", {CALL: QUOTE})
    greeks = "0.31,0.5,0.01,0.6,-0.4,0.2"
    text_file(
        tmp_path / "option/usa/universes/goog/20151224.csv",
        *header,
        "GOOCV VP|GOOCV,GOOG  160115C00750000,1,1,1,1.25,10,321," + greeks,
        "GOOCV VP,GOOG,740,750,739,748.5,1000,,,,,,,",
        "GOOCV VX,GOOG  no contract,1,1,1,1,1,1," + greeks,
        "MSFT R1|MSFT R,MSFT  160115C00750000,9,9,9,9,9,9,0.9,0.9,0.9,0.9,-0.9,0.9",
    )
    world = recorded_world(tmp_path)
    found = world.quotes.greeks(contract(world, "GOOG  160115C00750000"), moment(EARLY, OPENS_MS))
    assert found is not None
    assert (found.implied_volatility, found.delta, found.underlying) == (0.31, 0.5, 748.5)
    assert "20151224.csv: rows that cannot be read: 2 (GOOCV VX" in told(world)


def test_the_price_of_another_index_is_not_the_classes(tmp_path: Path) -> None:
    """Options on a fifth of an index: five times the spot would make every model value wrong."""
    name = f"20151224_nqx_minute_quote_{EUROPEAN}.csv"
    archive(tmp_path / "indexoption/usa/minute/nqx/20151224_quote_european.zip", {name: QUOTE})
    text_file(
        tmp_path / "indexoption/usa/universes/nqx/20151224.csv",
        NAMED_HEADER,
        "NDX 31,NDX,4600,4620,4590,4610.5,0,,,,,,,",
        "NQX 1|NDX 31,NQX   151224C02050000,1,1,1,1,1,1,0.3,0.5,0.1,0.1,-0.1,0.1",
    )
    world = recorded_world(tmp_path)
    assert world.quotes.greeks(contract(world, "NQX   151224C02050000"), moment(EARLY, OPENS_MS)) is None
    assert "rows that cannot be read: 1 (NDX 31,NDX" in told(world)


def test_other_assets_and_markets_are_not_played_and_said(tmp_path: Path) -> None:
    """A coin's and a foreign share's files have names like a share's, and another clock and currency."""
    small_recording(tmp_path / "forex")
    for place in ("crypto/coinbase/minute/btcusd", "equity/india/minute/tcs", "future/cme/minute/es"):
        archive(
            tmp_path / "forex" / place / "20130107_trade.zip",
            {"20130107_xyz_minute_trade.csv": "34200000,1,1,1,1,1"},
        )
    folder = read_folder(tmp_path / "forex")
    assert folder.sessions() == (DAY, EARLY)
    assert [text for text in folder.remarks.texts() if "another asset or market" in text] == [
        f"minute/{name}: files of another asset or market, not played: 1" for name in ("btcusd", "es", "tcs")
    ]


def test_rows_of_whole_days_do_not_hide_the_hours(tmp_path: Path) -> None:
    """Both have the same members; a day's row begins at midnight and would play nothing."""
    member = f"goog_quote_{OPTION}.csv"
    for name, clock in (("daily", "00:00"), ("hour", "10:00")):
        archive(
            tmp_path / f"option/usa/{name}/goog_2015_quote_american.zip",
            {member: f"20151224 {clock},{QUOTE.partition(',')[2]}"},
        )
    interest = {f"goog_openinterest_{OPTION}.csv": "20151224 00:00,321"}
    archive(tmp_path / "option/usa/daily/goog_2015_openinterest_american.zip", interest)
    world = recorded_world(tmp_path)
    call = contract(world, "GOOG  160115C00750000")
    assert world.tape.quote(call, moment(EARLY, 11 * 3_600_000 - 1)).bid == Decimal("1.1")
    assert world.quotes.open_interest(call, EARLY) == 321
    assert "rows of whole days, not played: 1" in told(world)


@pytest.mark.parametrize(
    ("name", "lines", "resolution"),
    [
        (f"GOOG/20151224_goog_second_quote_{OPTION}.csv", QUOTE, Resolution.SECOND),
        (f"20151224_goog_tick_quote_{OPTION}.csv", "34200000.25,11000,5,0,0,C,0", Resolution.TICK),
    ],
)
def test_seconds_and_ticks_of_options_are_played(
    tmp_path: Path, name: str, lines: str, resolution: Resolution
) -> None:
    """Also where members lie in a folder, and where a tick has no condition."""
    archive(tmp_path / "option/usa/x/goog/20151224_quote_american.zip", {name: lines})
    world = recorded_world(tmp_path)
    call = contract(world, "GOOG  160115C00750000")
    assert world.recording.folder.resolution(Kind.QUOTE, call.symbol, EARLY) is resolution
    quote = world.tape.quote(call, moment(EARLY, OPENS_MS + 999))
    assert (quote.bid, quote.bid_size) == (Decimal("1.1"), 5)


@pytest.mark.parametrize(
    "name", ["20151224_goog_tick_quote.csv", "20151224_goog_Quote_Tick.csv", "20151224_g00g.1_tick_quote.csv"]
)
def test_a_tape_has_either_order_of_its_names(tmp_path: Path, name: str) -> None:
    """The kind before the resolution or behind it; digits in a symbol."""
    archive(tmp_path / "equity/usa/tick/goog/20151224_quote.zip", {name: "34200000,7480000,2,0,0,Q,0,0"})
    folder = read_folder(tmp_path)
    (symbol,) = folder.spots
    assert folder.rows(Kind.QUOTE, symbol, EARLY, quote_tick)[0].bid == 7_480_000


def test_prices_of_index_options_in_dollars_are_read_as_dollars(tmp_path: Path) -> None:
    """Where most lines of an archive have a point, those without one are dollars, too."""
    put, higher = EUROPEAN.replace("call", "put"), EUROPEAN.replace("2050", "2060")
    lines = {
        EUROPEAN: "1,1.5,0.9,1.1,5,2,2.5,1.9,2.05,7",
        put: "12,12,12,12,5,,,,,0",
        higher: "1,1,1,1.25" + ",5" * 6,
    }
    rows = {f"20151224_spxw_minute_quote_{name}.csv": f"34200000,{text}" for name, text in lines.items()}
    archive(tmp_path / "indexoption/usa/minute/spxw/20151224_quote_european.zip", rows)
    folder = read_folder(tmp_path)
    bids = {
        symbol: folder.rows(Kind.QUOTE, symbol, EARLY, quote_row)[0].bid[3]
        for symbol in sorted(folder.series)
    }
    assert list(bids.values()) == [11_000, 12_500, 120_000]
    assert folder.rows(Kind.QUOTE, "SPXW  151224C02050000", EARLY, quote_row)[0].ask_size == 7


def test_a_price_that_no_tape_holds_is_named(tmp_path: Path) -> None:
    """A share of 300,000 dollars costs its own rows and not the day of all others."""
    small_recording(tmp_path)
    archive(
        tmp_path / "equity/usa/minute/brk.a/20151224_trade.zip",
        {"20151224_brk.a_minute_trade.csv": "34200000,3000000000,3000000000,3000000000,3000000000,1"},
    )
    world = recorded_world(tmp_path, EARLY)
    assert world.tape.prints(contract(world, "BRK A"), moment(EARLY, 0), moment(EARLY, 80_000_000)) == []
    assert "brk.a/20151224_trade.zip: rows that cannot be read: 1 (34200000,3000000000" in told(world)


@pytest.mark.parametrize(
    ("factors", "old", "new"),
    [
        (("20", "1"), "call_100000_20160115", "call_2000000_20160115"),
        (("150", "1"), "call_10000_20160115", "call_1500000_20160115"),
        (("0.6666667", "1"), "call_300000_20160115", "call_200000_20160115"),
        (("0.997307", "1"), "call_7500000_20160115", ""),
    ],
    ids=["one for twenty", "one for 150", "three for two", "a dividend in shares"],
)
def test_splits_of_any_ratio_have_their_strikes(
    tmp_path: Path, factors: tuple[str, str], old: str, new: str
) -> None:
    """One share for twenty, three for two; three thousandths of a share move no strike."""
    share(tmp_path, EARLY, "trade", "34200000,1,1,1,1,1")
    options(tmp_path, EARLY, "quote", {new or old: QUOTE})
    if new:
        options(tmp_path, EARLY, "openinterest", {old: "23460000,7"})
    text_file(
        tmp_path / "equity/usa/factor_files/goog.csv",
        f"20150101,1,{factors[0]},1",
        f"20151223,1,{factors[0]},1",
        f"20501231,1,{factors[1]},0",
    )
    assert ("under strikes of before the split: 1" in told(recorded_world(tmp_path))) is bool(new)
    assert date(2015, 12, 24) == EARLY


@pytest.mark.parametrize(("index", "ms"), [("spx", OPENS_MS - 3_600_000), ("ndx", OPENS_MS)])
def test_an_index_is_played_by_its_own_clock(tmp_path: Path, index: str, ms: int) -> None:
    """Chicago's for all but those of Nasdaq: an hour off is another market."""
    small_recording(tmp_path)
    row = f"{ms},2000,2001,1999,2000.5,7"
    archive(
        tmp_path / f"index/usa/minute/{index}/20151224_trade.zip", {f"20151224_{index}_minute_trade.csv": row}
    )
    world = recorded_world(tmp_path, EARLY)
    at = moment(EARLY, OPENS_MS + 59_000)
    assert world.tape.quote(contract(world, index.upper()), at).last == Decimal("2000.5")
    before = moment(EARLY, OPENS_MS - 1_000)
    assert world.tape.quote(contract(world, index.upper()), before).last is None


def test_a_class_of_shares_is_listed_as_the_broker_lists_it(tmp_path: Path) -> None:
    """``brk.b`` in the files: the share is ``BRK B``, the class of its options ``BRKB``."""
    name = "20151224_brk.b_minute_{}.csv"
    quote = {name.format("quote_american_call_1300000_20160115"): QUOTE}
    archive(tmp_path / "option/usa/minute/brk.b/20151224_quote_american.zip", quote)
    trade = {name.format("trade"): "34200000,1280000,1280000,1280000,1280000,5"}
    archive(tmp_path / "equity/usa/minute/brk.b/20151224_trade.zip", trade)
    greeks = "0.31,0.5,0.01,0.6,-0.4,0.2"
    lines = ",,,1,1,1,128,1,,,,,,,", f"20160115,130,C,1,1,1,1,1,7,{greeks}"
    text_file(tmp_path / "option/usa/universes/brk.b/20151224.csv", *lines)
    world = recorded_world(tmp_path)
    for asked in ("BRK.B", "BRKB"):
        assert world.listings.find(ContractQuery(symbol=asked), EARLY) == []
    found = [each.contract for each in world.listings.find(ContractQuery(symbol="BRK B"), EARLY)]
    assert sorted(each.symbol for each in found) == ["BRK B", "BRKB  160115C00130000"]
    (chain, *_) = world.listings.chains("BRK B", EARLY)
    assert (chain.trading_class, chain.strikes) == ("BRKB", (Decimal(130),))
    told_greeks = world.quotes.greeks(contract(world, "BRKB  160115C00130000"), moment(EARLY, OPENS_MS))
    assert told_greeks is not None
