"""Lines of Lean's files become typed rows exactly, or are told with file, member, line and field."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from lean_folder import LeanFolder, option_member

from adapters.lean.history import LeanHistory
from trading.model.market import Bar, ChainSnapshot, MarketKind, MarketRow, Quote, RefusedRow, Trade

EARLY_CLOSE = date(2015, 12, 24)  # 13:00 in New York
TAPE_DAY = date(2013, 10, 8)
OPEN_MS, NOON_MS = 34_200_000, 43_200_000
NOON = datetime(2015, 12, 24, 17, 0, tzinfo=UTC)
QUOTE_ARCHIVE = "option/usa/minute/goog/20151224_quote_american.zip"
TRADE_ARCHIVE = "option/usa/minute/goog/20151224_trade_american.zip"


@pytest.fixture
def folder(tmp_path: Path) -> LeanFolder:
    """An empty folder."""
    return LeanFolder(tmp_path)


def _rows(folder: LeanFolder, kind: MarketKind, session: date = EARLY_CLOSE) -> Sequence[MarketRow]:
    rows = LeanHistory(folder.path).rows(kind, session)
    assert rows is not None
    return list(rows)


def _refused(rows: Sequence[MarketRow]) -> list[RefusedRow]:
    return [row for row in rows if isinstance(row, RefusedRow)]


def test_a_quote_line_is_the_quote_at_the_end_of_its_minute(folder: LeanFolder) -> None:
    """Ten-thousandths become exact prices, an empty side is none, and the moment lies in the minute."""
    line = f"{NOON_MS},,,,,0,21500,21500,5000,5001,19"
    folder.archive(QUOTE_ARCHIVE, {option_member("quote"): line})
    (quote,) = _rows(folder, MarketKind.QUOTE)
    assert isinstance(quote, Quote)
    assert (quote.bid, quote.bid_size) == (None, None)
    assert (quote.ask, quote.ask_size) == (Decimal("0.5001"), Decimal(19))
    assert quote.at == NOON + timedelta(milliseconds=59_999)
    assert (quote.symbol, quote.instrument_id) == ("GOOG", "OPT:GOOG  151231C00735000")


def test_a_trade_line_is_a_bar(folder: LeanFolder) -> None:
    """Its moment is the beginning of the minute, its volume contracts."""
    folder.archive(TRADE_ARCHIVE, {option_member("trade"): f"{NOON_MS},15000,16000,14000,15500,12"})
    (bar,) = _rows(folder, MarketKind.BAR)
    assert isinstance(bar, Bar)
    assert (bar.at, bar.seconds, bar.volume) == (NOON, 60, Decimal(12))
    assert (bar.open, bar.high, bar.low, bar.close) == tuple(map(Decimal, ("1.5", "1.6", "1.4", "1.55")))


def test_lines_outside_the_session_are_counted_and_the_first_is_named(folder: LeanFolder) -> None:
    """An early close ends the session at one o'clock: what is later is no row, and is told."""
    close_ms = 46_800_000
    lines = "\n".join(
        f"{ms},,,,,0,1,1,1,1,1" for ms in (OPEN_MS, close_ms - 60_000, close_ms, close_ms + 60_000)
    )
    folder.archive(QUOTE_ARCHIVE, {option_member("quote"): lines})
    *quotes, left = _rows(folder, MarketKind.QUOTE)
    assert len(quotes) == 2
    assert isinstance(left, RefusedRow)
    assert (left.rows, left.field) == (2, "ms")
    assert left.reason == "outside the session: OPT:GOOG  151231C00735000"
    told = json.loads(left.payload)
    assert (told["file"], told["member"], told["line"]) == (QUOTE_ARCHIVE, option_member("quote"), "3")


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (f"{NOON_MS},15000,16000,14000,15500", "line"),
        (f"{NOON_MS},15000,16000,14000,15500,12,9", "line"),
        ("noon,15000,16000,14000,15500,12", "ms"),
        ("-60000,15000,16000,14000,15500,12", "ms"),
        ("86400000,15000,16000,14000,15500,12", "ms"),
        (f"{NOON_MS},nan,16000,14000,15500,12", "price"),
        (f"{NOON_MS},-15000,16000,14000,15500,12", "price"),
        (f"{NOON_MS},0,16000,14000,15500,12", "price"),
        (f"{NOON_MS},,16000,14000,15500,12", "price"),
        (f"{NOON_MS},17000,16000,14000,15500,12", "high"),
        (f"{NOON_MS},15000,16000,14000,13000,12", "high"),
        (f"{NOON_MS},15000,16000,14000,15500,-1", "size"),
        (f"{NOON_MS},15000,16000,14000,15500,Infinity", "size"),
        ("\N{ARABIC-INDIC DIGIT ONE}", "line"),
        (f"{NOON_MS},15000,16000,14000,155.00,12", "price"),
        (f"{NOON_MS},15000,16000,14000,15500,12" + "0" * 2_000, "size"),
    ],
)
def test_a_line_that_cannot_be_read_is_refused_by_field(folder: LeanFolder, line: str, field: str) -> None:
    """The others of its member are taken, and the refusal says where it is."""
    later = f"{NOON_MS + 60_000},15000,16000,14000,15500,12"
    folder.archive(
        TRADE_ARCHIVE, {option_member("trade"): f"{line}\n{later}", option_member("trade", "put"): later}
    )
    rows = _rows(folder, MarketKind.BAR)
    (refused,) = _refused(rows)
    assert refused.field == field
    assert TRADE_ARCHIVE in refused.payload
    assert len(rows) - 1 == 2


def test_lines_out_of_their_order_are_brought_into_it(folder: LeanFolder) -> None:
    """Rows of an instrument come in the order of their time, and none is lost for it."""
    lines = "\n".join(f"{ms},1,1,1,1,1" for ms in (NOON_MS, NOON_MS - 60_000, NOON_MS + 60_000)) + "\nno line"
    folder.archive(TRADE_ARCHIVE, {option_member("trade"): lines})
    *bars, refused = _rows(folder, MarketKind.BAR)
    assert [bar.at for bar in bars if isinstance(bar, Bar)] == [
        NOON - timedelta(minutes=1),
        NOON,
        NOON + timedelta(minutes=1),
    ]
    assert isinstance(refused, RefusedRow)
    assert json.loads(refused.payload)["line"] == "4"


def test_a_member_of_another_contract_is_refused(folder: LeanFolder) -> None:
    """An archive tells of one class and day; a stranger in it is named, and the others are read."""
    folder.archive(
        TRADE_ARCHIVE,
        {
            option_member("trade"): f"{NOON_MS},1,1,1,1,1",
            option_member("trade", day="20151225"): f"{NOON_MS},1,1,1,1,1",
            "notes.txt": "read me",
        },
    )
    rows = _rows(folder, MarketKind.BAR)
    assert {row.field for row in _refused(rows)} == {"member"}
    assert len(_refused(rows)) == 2
    assert len(rows) == 3


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"x" * 4_000])
def test_an_archive_that_cannot_be_opened_is_a_refusal(folder: LeanFolder, content: bytes) -> None:
    """A broken file does not stop the others of the session."""
    folder.archive(TRADE_ARCHIVE, {option_member("trade"): f"{NOON_MS},1,1,1,1,1"})
    broken = folder.path / "option/usa/minute/aapl/20151224_trade_american.zip"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(content)
    rows = _rows(folder, MarketKind.BAR)
    (refused,) = _refused(rows)
    assert refused.field == "file"
    assert refused.reason.startswith("cannot be read: 20151224_trade_american.zip: file:")
    assert len(rows) == 2


def test_a_cut_member_is_told_after_what_could_be_read(folder: LeanFolder) -> None:
    """A member whose checksum is wrong is a refusal of its own."""
    path = folder.archive(
        TRADE_ARCHIVE, {option_member("trade"): "\n".join(f"{NOON_MS},1,1,1,1,{n}" for n in range(9_000))}
    )
    data = bytearray(path.read_bytes())
    place = data.find(b".csv") + 400
    data[place : place + 40] = bytes(40)
    path.write_bytes(bytes(data))
    assert {row.field for row in _refused(_rows(folder, MarketKind.BAR))} >= {"member"}


def test_one_sided_changes_are_carried_forward(folder: LeanFolder) -> None:
    """A line changes one side, the other stands, also from before the opening; marked ones change none."""
    lines = [
        f"{OPEN_MS - 5},1836300,300,0,0,Q,1,0",
        f"{OPEN_MS + 1},0,0,1836500,200,P,1,0",
        f"{OPEN_MS + 1},9900000,100,0,0,P,1,1",
        f"{OPEN_MS + 7},1836400,100,0,0,Z,1,0",
    ]
    folder.archive(
        "equity/usa/tick/ibm/20131008_quote.zip", {"20131008_ibm_Quote_Tick.csv": "\n".join(lines)}
    )
    rows = _rows(folder, MarketKind.QUOTE, TAPE_DAY)
    quotes = [row for row in rows if isinstance(row, Quote)]
    assert [(quote.bid, quote.ask, quote.bid_size, quote.ask_size) for quote in quotes] == [
        (Decimal("183.63"), Decimal("183.65"), Decimal(300), Decimal(200)),
        (Decimal("183.64"), Decimal("183.65"), Decimal(100), Decimal(200)),
    ]
    assert {row.reason.partition(":")[0]: row.rows for row in _refused(rows)} == {
        "outside the session": 1,
        "marked suspicious by its source": 1,
    }


def test_prints_of_one_millisecond_are_counted(folder: LeanFolder) -> None:
    """Equal prints stay apart by their ordinal; conditions are text."""
    lines = [f"{OPEN_MS + 4},1821000,300,P,2000,0"] * 2 + [f"{OPEN_MS + 5},1821000,300,P,20002020,0"]
    folder.archive(
        "equity/usa/tick/ibm/20131008_trade.zip", {"20131008_ibm_Trade_Tick.csv": "\n".join(lines)}
    )
    trades = [row for row in _rows(folder, MarketKind.TRADE, TAPE_DAY) if isinstance(row, Trade)]
    assert [trade.ordinal for trade in trades] == [0, 1, 0]
    assert trades[2].conditions == "20002020"
    assert LeanHistory(folder.path).rows(MarketKind.BAR, TAPE_DAY) is None


def test_an_index_file_is_in_chicago(folder: LeanFolder) -> None:
    """Half past eight there is the opening in New York; values are not scaled, and there is no volume."""
    name = "index/usa/minute/spx/20210104_trade.zip"
    folder.archive(name, {"20210104_spx_minute_trade.csv": "30600000,3764.61,3769.99,3764.61,3766.63,59"})
    (bar,) = _rows(folder, MarketKind.BAR, date(2021, 1, 4))
    assert isinstance(bar, Bar)
    assert bar.at == datetime(2021, 1, 4, 14, 30, tzinfo=UTC)
    assert (bar.instrument_id, bar.close, bar.volume) == ("IND:SPX", Decimal("3766.63"), None)


def test_hours_of_one_session_are_found_in_the_archive_of_a_year(folder: LeanFolder) -> None:
    """Lines of other days belong to other sessions; the hour that begins before the opening is one of it."""
    lines = "20140606 09:00,1,1,1,1,7\n20140606 15:00,1,1,1,1,8\n20140609 09:00,1,1,1,1,9"
    member = "aapl_trade_american_call_10000000_20150117.csv"
    folder.archive("option/usa/hour/aapl_2014_trade_american.zip", {member: lines})
    history = LeanHistory(folder.path)
    assert list(history.sessions(MarketKind.BAR)) == [date(2014, 6, 6), date(2014, 6, 9)]
    first, second = _rows(folder, MarketKind.BAR, date(2014, 6, 6))
    assert isinstance(first, Bar)
    assert isinstance(second, Bar)
    assert (first.at, first.seconds) == (datetime(2014, 6, 6, 13, 0, tzinfo=UTC), 3600)
    assert history.rows(MarketKind.BAR, date(2014, 6, 10)) is None


def test_the_finest_quotes_are_read_and_all_bars(folder: LeanFolder) -> None:
    """Minutes and hours of a contract are bars of two widths, but one quote stands at a moment."""
    hourly = "goog_{}_american_call_7350000_20151231.csv"
    folder.archive(
        "hour/goog_2015_quote_american.zip", {hourly.format("quote"): "20151224 12:00,1,1,1,1,1,2,2,2,2,2"}
    )
    folder.archive("hour/goog_2015_trade_american.zip", {hourly.format("trade"): "20151224 12:00,1,1,1,1,1"})
    folder.archive(QUOTE_ARCHIVE, {option_member("quote"): f"{NOON_MS},1,1,1,1,1,2,2,2,2,2"})
    folder.archive(TRADE_ARCHIVE, {option_member("trade"): f"{NOON_MS},1,1,1,1,1"})
    assert len(_rows(folder, MarketKind.QUOTE)) == 1
    assert sorted(bar.seconds for bar in _rows(folder, MarketKind.BAR) if isinstance(bar, Bar)) == [60, 3600]


def test_a_file_told_twice_is_read_once_and_named(folder: LeanFolder) -> None:
    """Two data sets under one folder may hold the same archive: its rows come once."""
    for name in ("a", "b"):
        folder.archive(
            f"{name}/20151224_trade_american.zip", {option_member("trade"): f"{NOON_MS},1,1,1,1,1"}
        )
    rows = _rows(folder, MarketKind.BAR)
    (refused,) = _refused(rows)
    assert len(rows) == 2
    assert "b/20151224_trade_american.zip" in refused.payload
    assert "a/20151224_trade_american.zip" in refused.reason


def test_a_session_that_no_file_tells_is_none(folder: LeanFolder) -> None:
    """Neither an empty folder, nor a closed day, nor a kind that is not in files is an empty session."""
    folder.archive(
        "20151225_trade_american.zip", {option_member("trade", day="20151225"): f"{NOON_MS},1,1,1,1,1"}
    )
    history = LeanHistory(folder.path)
    assert history.rows(MarketKind.BAR, EARLY_CLOSE) is None
    assert history.rows(MarketKind.BAR, date(2015, 12, 25)) is None
    assert history.rows(MarketKind.NEWS, EARLY_CLOSE) is None
    assert list(history.sessions(MarketKind.BAR)) == []
    assert list(history.sessions(MarketKind.NEWS)) == []


def test_a_chain_is_put_together_from_all_files_of_the_session(folder: LeanFolder) -> None:
    """Quote, volume, open interest and greeks meet in a contract's row; the share's last bar is the spot."""
    folder.archive(
        "om/20151224_quote_american.zip",
        {option_member("quote"): f"{OPEN_MS},1,1,1,100,1,2,2,2,200,2\n{NOON_MS},1,1,1,300,1,2,2,2,400,2"},
    )
    folder.archive(
        "om/20151224_trade_american.zip",
        {option_member("trade"): f"{NOON_MS},350,350,350,350,5\n{NOON_MS + 60_000},360,360,360,360,6"},
    )
    folder.archive(
        "om/20151224_openinterest_american.zip", {option_member("openinterest", "put"): "23460000,77"}
    )
    folder.archive(
        "em/20151224_trade.zip",
        {"20151224_goog_minute_trade.csv": f"{NOON_MS},7484000,7484000,7484000,7484000,100"},
    )
    folder.universe(
        "universe/20151224.csv.gz",
        ",,,747.93,748.77,747.86,1.00,106129,,,,,,,",
        "20151231,735,C,15,15,14,15,0,12,0.25,0.7,0.01,0.2,-0.3,0.1",
        "20151231,735,P,15,15,14,15,0,99,0,0,0,0,0,0",
        "20151231,740,P,15,15,14,15,0,,x,0,0,0,0,0",
    )  # fmt: skip
    refused, chain = _rows(folder, MarketKind.CHAIN)
    assert isinstance(refused, RefusedRow)
    assert (refused.field, json.loads(refused.payload)["line"]) == ("implied_volatility", "5")
    assert isinstance(chain, ChainSnapshot)
    assert (chain.symbol, chain.spot, chain.listed) == ("GOOG", Decimal("748.4"), 2)
    assert chain.at == datetime(2015, 12, 24, 17, 59, 59, 999_000, tzinfo=UTC)
    called, written = chain.contracts
    assert (called.bid, called.ask, called.volume, called.last) == tuple(
        map(Decimal, ("0.03", "0.04", "11", "0.036"))
    )
    assert called.at == NOON + timedelta(milliseconds=59_999)
    assert called.greeks is not None
    assert (called.greeks.implied_volatility, called.open_interest) == (0.25, 12)
    assert (written.open_interest, written.volume, written.greeks, written.bid) == (
        77,
        Decimal(0),
        None,
        None,
    )


def test_splits_take_effect_in_the_session_after_their_row(folder: LeanFolder) -> None:
    """A row's factors hold through its day; the ratio of two factors is the split's."""
    path = folder.path / "equity/usa/factor_files/aapl.csv"
    path.parent.mkdir(parents=True)
    path.write_text("20140606,0.93,0.0357143,645.57\n20200828,0.99,0.25,499.23\n20501231,1,1,0\n")
    splits = LeanHistory(folder.path).splits()
    assert [(split.symbol, split.effective, split.numerator, split.denominator) for split in splits] == [
        ("AAPL", date(2014, 6, 9), 7, 1),
        ("AAPL", date(2020, 8, 31), 4, 1),
    ]


@pytest.mark.parametrize(("place", "value"), [(6, 1), (8, 99)], ids=["encrypted", "an unknown compression"])
def test_a_member_that_cannot_be_opened_is_refused(folder: LeanFolder, place: int, value: int) -> None:
    """Its header says that it is not for us; the refusal names it."""
    path = folder.archive(TRADE_ARCHIVE, {option_member("trade"): f"{NOON_MS},1,1,1,1,1"})
    data = bytearray(path.read_bytes())
    directory = data.find(b"PK\x01\x02")
    data[place], data[directory + place + 2] = value, value
    path.write_bytes(bytes(data))
    (refused,) = _refused(_rows(folder, MarketKind.BAR))
    assert refused.field == "member"
    assert option_member("trade") in refused.payload
