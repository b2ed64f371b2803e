"""Every form in which Lean publishes shares, options and index options, and what is wrong with copies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from lean_folder import LeanFolder

from adapters.lean.history import LeanHistory
from trading.model.market import Bar, ChainSnapshot, MarketKind, MarketRow, Quote, RefusedRow, Trade

DAY = date(2014, 6, 6)
NOON_MS = 43_200_000
BAR_LINE = f"{NOON_MS},6450000,6460000,6440000,6455000,100"
QUOTE_LINE = f"{NOON_MS},1,1,1,6450000,3,2,2,2,6460000,4"
OPTION = "_american_call_6500000_20140621.csv"
EUROPEAN = "_european_put_18500000_20140620.csv"
CALL = "OPT:AAPL  140621C00650000"
PUT = "OPT:SPXW  140620P01850000"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One archive, and what is told of it: (instrument, UTC time, price), of a quote its bid."""

    name: str
    archive: str
    members: Mapping[str, str]
    kind: MarketKind
    told: Sequence[tuple[str, str, str]] = ()
    refused: Sequence[str] = ()  # fields
    seconds: int | None = field(default=None)


SHARE_BARS = ("STK:AAPL", "16:00", "645.5")
CASES = (
    Case(
        name="share, minute, trade",
        archive="equity/usa/minute/aapl/20140606_trade.zip",
        members={"20140606_aapl_minute_trade.csv": BAR_LINE},
        kind=MarketKind.BAR,
        told=[SHARE_BARS],
        seconds=60,
    ),
    Case(
        name="share, minute, quote",
        archive="equity/usa/minute/aapl/20140606_quote.zip",
        members={"20140606_aapl_minute_quote.csv": QUOTE_LINE},
        kind=MarketKind.QUOTE,
        told=[("STK:AAPL", "16:00", "645")],
    ),
    Case(
        name="share, second, trade",
        archive="equity/usa/second/aapl/20140606_trade.zip",
        members={"20140606_aapl_second_trade.csv": BAR_LINE},
        kind=MarketKind.BAR,
        told=[SHARE_BARS],
        seconds=1,
    ),
    Case(
        name="share, second, quote",
        archive="equity/usa/second/aapl/20140606_quote.zip",
        members={"20140606_aapl_second_quote.csv": QUOTE_LINE},
        kind=MarketKind.QUOTE,
        told=[("STK:AAPL", "16:00", "645")],
    ),
    Case(
        name="share, tick, trade, milliseconds with decimals",
        archive="equity/usa/tick/aapl/20140606_trade.zip",
        members={"20140606_aapl_tick_trade.csv": f"{NOON_MS}.25,6455000,100,Q,0,0"},
        kind=MarketKind.TRADE,
        told=[SHARE_BARS],
    ),
    Case(
        name="share, tick, quote",
        archive="equity/usa/tick/aapl/20140606_quote.zip",
        members={"20140606_aapl_Quote_Tick.csv": f"{NOON_MS},6450000,1,6460000,2,Q,0,0"},
        kind=MarketKind.QUOTE,
        told=[("STK:AAPL", "16:00", "645")],
    ),
    Case(
        name="share, hour",
        archive="equity/usa/hour/aapl.zip",
        members={"aapl.csv": "20140605 12:00,1,1,1,1,1\n20140606 12:00,6450000,6460000,6440000,6455000,9"},
        kind=MarketKind.BAR,
        told=[SHARE_BARS],
        seconds=3_600,
    ),
    Case(
        name="share, hour, quote",
        archive="equity/usa/hour/aapl_quote.zip",
        members={"aapl.csv": "20140606 12:00,1,1,1,6450000,3,2,2,2,6460000,4"},
        kind=MarketKind.QUOTE,
        told=[("STK:AAPL", "16:59", "645")],
    ),
    Case(
        name="share, daily",
        archive="equity/usa/daily/aapl.zip",
        members={"aapl.csv": "20140606 00:00,6450000,6460000,6440000,6455000,9\n20140609 00:00,1,1,1,1,1"},
        kind=MarketKind.BAR,
        told=[("STK:AAPL", "04:00", "645.5")],
        seconds=86_400,
    ),
    Case(
        name="share with a dot, renamed folders",
        archive="equity_minute/20140606_trade.zip",
        members={"20140606_brk.b_minute_trade.csv": BAR_LINE},
        kind=MarketKind.BAR,
        told=[("STK:BRK B", "16:00", "645.5")],
    ),
    Case(
        name="option, minute, trade, several members, one of them empty",
        archive="option/usa/minute/aapl/20140606_trade_american.zip",
        members={
            f"20140606_aapl_minute_trade{OPTION}": BAR_LINE,
            "20140606_aapl_minute_trade_american_put_6500000_20140621.csv": "",
        },
        kind=MarketKind.BAR,
        told=[(CALL, "16:00", "645.5")],
    ),
    Case(
        name="option, minute, quote, members in a folder and in capitals",
        archive="option/usa/minute/aapl/20140606_quote_american.zip",
        members={f"AAPL/20140606_AAPL_Minute_Quote{OPTION}": QUOTE_LINE},
        kind=MarketKind.QUOTE,
        told=[(CALL, "16:00", "645")],
    ),
    Case(
        name="option, second, quote",
        archive="option/usa/second/aapl/20140606_quote_american.zip",
        members={f"20140606_aapl_second_quote{OPTION}": QUOTE_LINE},
        kind=MarketKind.QUOTE,
        told=[(CALL, "16:00", "645")],
    ),
    Case(
        name="option, tick, trade",
        archive="option/usa/tick/aapl/20140606_trade_american.zip",
        members={f"20140606_aapl_tick_trade{OPTION}": f"{NOON_MS},6455000,2,C,I,0"},
        kind=MarketKind.TRADE,
        told=[(CALL, "16:00", "645.5")],
    ),
    Case(
        name="option, tick, quote, without a condition",
        archive="option/usa/tick/aapl/20140606_quote_american.zip",
        members={f"20140606_aapl_tick_quote{OPTION}": f"{NOON_MS},6450000,2,6460000,3,C,0"},
        kind=MarketKind.QUOTE,
        told=[(CALL, "16:00", "645")],
    ),
    Case(
        name="option, hour, a year",
        archive="option/usa/hour/aapl_2014_trade_american.zip",
        members={f"aapl_trade{OPTION}": "20140606 12:00,6450000,6460000,6440000,6455000,100"},
        kind=MarketKind.BAR,
        told=[(CALL, "16:00", "645.5")],
        seconds=3_600,
    ),
    Case(
        name="option, daily, all years",
        archive="option/usa/daily/aapl_trade_american.zip",
        members={f"aapl_trade{OPTION}": "20140606 00:00,6450000,6460000,6440000,6455000,100"},
        kind=MarketKind.BAR,
        told=[(CALL, "04:00", "645.5")],
        seconds=86_400,
    ),
    Case(
        name="option, daily, quote: the one at the close",
        archive="option/usa/daily/aapl_2014_quote_american.zip",
        members={f"aapl_quote{OPTION}": "20140606 00:00,1,1,1,6450000,3,2,2,2,6460000,4"},
        kind=MarketKind.QUOTE,
        told=[(CALL, "19:59", "645")],
    ),
    Case(
        name="option on a share with a dot",
        archive="option/usa/minute/brk.b/20140606_trade_american.zip",
        members={"20140606_brk.b_minute_trade_american_call_1300000_20140621.csv": BAR_LINE},
        kind=MarketKind.BAR,
        told=[("OPT:BRKB  140621C00130000", "16:00", "645.5")],
    ),
    Case(
        name="index option, minute, scaled, the ending doubled",
        archive="indexoption/usa/minute/spxw/20140606_quote_european.zip.zip",
        members={f"20140606_spxw_minute_quote{EUROPEAN}": QUOTE_LINE},
        kind=MarketKind.QUOTE,
        told=[(PUT, "16:00", "645")],
    ),
    Case(
        name="index option, minute, not scaled: seen by the points in its prices",
        archive="indexoption/usa/minute/spxw/20140606_trade_european.zip",
        members={
            f"20140606_spxw_minute_trade{EUROPEAN}": (
                f"{NOON_MS},12,13.5,11,13,2\n{NOON_MS + 60_000},9,9,9,9,1"
            )
        },
        kind=MarketKind.BAR,
        told=[(PUT, "16:00", "13"), (PUT, "16:01", "9")],
    ),
    Case(
        name="index, minute: Chicago, not scaled",
        archive="index/usa/minute/spx/20140606_trade.zip",
        members={"20140606_spx_minute_trade.csv": "39600000,1945,1946.5,1944,1946,7"},
        kind=MarketKind.BAR,
        told=[("IND:SPX", "16:00", "1946")],
    ),
    Case(
        name="index, minute, of Nasdaq: New York",
        archive="index/usa/minute/ndx/20140606_trade.zip",
        members={"20140606_ndx_minute_trade.csv": f"{NOON_MS},3790,3791.5,3789,3791,7"},
        kind=MarketKind.BAR,
        told=[("IND:NDX", "16:00", "3791")],
    ),
    Case(
        name="index, tick",
        archive="index/usa/tick/spx/20140606_trade.zip",
        members={"20140606_spx_tick_trade.csv": "39600000,1946.5,0,,,0"},
        kind=MarketKind.TRADE,
        told=[("IND:SPX", "16:00", "1946.5")],
    ),
    Case(
        name="index, daily",
        archive="index/usa/daily/spx.zip",
        members={"spx.csv": "20140606 00:00,1945,1946.5,1944,1946,0"},
        kind=MarketKind.BAR,
        told=[("IND:SPX", "05:00", "1946")],
    ),
    Case(
        name="ends of lines of another system, a mark of the byte order, no end at the end",
        archive="equity/usa/minute/aapl/20140606_trade.zip",
        members={"20140606_aapl_minute_trade.csv": f"\ufeff{BAR_LINE}\r\n\r\n{NOON_MS + 60_000},1,1,1,1,1"},
        kind=MarketKind.BAR,
        told=[SHARE_BARS, ("STK:AAPL", "16:01", "0.0001")],
    ),
    Case(
        name="rows doubled, one of them with another price",
        archive="equity/usa/minute/aapl/20140606_trade.zip",
        members={
            "20140606_aapl_minute_trade.csv": f"{BAR_LINE}\n{BAR_LINE}\n{NOON_MS},1,1,1,1,1\n{BAR_LINE}"
        },
        kind=MarketKind.BAR,
        told=[SHARE_BARS],
        refused=["ms", "line"],
    ),
    Case(
        name="a tape out of order: sorted, and prints of one moment as they stand",
        archive="equity/usa/tick/aapl/20140606_trade.zip",
        members={
            "20140606_aapl_tick_trade.csv": "\n".join(
                f"{NOON_MS + late},{price},1,Q,0,0"
                for late, price in ((60_000, 3), (0, 1), (0, 1), (120_000, 4), (60_000, 2))
            )
        },
        kind=MarketKind.TRADE,
        told=[
            ("STK:AAPL", time, f"0.000{price}")
            for time, price in (("16:00", 1), ("16:00", 1), ("16:01", 3), ("16:01", 2), ("16:02", 4))
        ],
    ),
    Case(
        name="columns missing, a line too long, bytes that are no text, out of hours: told, the rest taken",
        archive="equity/usa/minute/aapl/20140606_trade.zip",
        members={
            "20140606_aapl_minute_trade.csv": "\n".join(
                (
                    "34200000,1,1,1,1",
                    "34260000,1,1,1,1,1" + "1" * 3_000,
                    "\xff\xfe,1",
                    "28800000,1,1,1,1,1",
                    BAR_LINE,
                )
            )
        },
        kind=MarketKind.BAR,
        told=[SHARE_BARS],
        refused=["line", "size", "line", "ms"],
    ),
    Case(
        name="another file's member before the first",
        archive="equity/usa/minute/aapl/20140606_trade.zip",
        members={"00_readme.txt": "of the supplier", "20140606_aapl_minute_trade.csv": BAR_LINE},
        kind=MarketKind.BAR,
        told=[SHARE_BARS],
        refused=["member"],
    ),
    Case(
        name="an hour of no day",
        archive="option/usa/hour/aapl_2014_trade_american.zip",
        members={
            f"aapl_trade{OPTION}": "\n".join(
                f"{time},1,1,1,1,1" for time in ("20141399 12:00", "20140606 24:00", "20140606 12:00")
            )
        },
        kind=MarketKind.BAR,
        told=[(CALL, "16:00", "0.0001")],
        refused=["time", "time"],
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_form_is_read_exactly_or_told(tmp_path: Path, case: Case) -> None:
    """Each line is a row at its time and price, or is refused by its field; nothing else."""
    LeanFolder(tmp_path).archive(case.archive, case.members)
    history = LeanHistory(tmp_path)
    assert DAY in history.sessions(case.kind)
    rows = list(history.rows(case.kind, DAY) or ())
    kept = [row for row in rows if isinstance(row, Bar | Quote | Trade)]
    told = [(row.instrument_id, f"{row.at:%H:%M}", str(_price(row))) for row in kept]
    assert told == [(name, time, str(Decimal(price))) for name, time, price in case.told]
    assert [row.field for row in rows if isinstance(row, RefusedRow)] == list(case.refused)
    if case.seconds:
        assert [row.seconds for row in kept if isinstance(row, Bar)] == [case.seconds]


def _price(row: Bar | Quote | Trade) -> Decimal | None:
    if isinstance(row, Quote):
        return row.bid
    return row.close if isinstance(row, Bar) else row.price


def test_decimals_of_a_millisecond_are_kept(tmp_path: Path) -> None:
    """Two prints of one millisecond are told apart by what the tape says beyond it."""
    lines = f"{NOON_MS}.25,1,1,Q,0,0\n{NOON_MS}.5,1,1,Q,0,0"
    LeanFolder(tmp_path).archive("tick/20140606_trade.zip", {"20140606_aapl_tick_trade.csv": lines})
    rows: list[MarketRow] = list(LeanHistory(tmp_path).rows(MarketKind.TRADE, DAY) or ())
    assert [(row.at.microsecond, row.ordinal) for row in rows if isinstance(row, Trade)] == [
        (250, 0),
        (500, 0),
    ]


def test_prints_of_an_option_are_signed_by_its_own_quotes(tmp_path: Path) -> None:
    """Each contract by its own tape, and never by the share's of the same name."""
    folder = LeanFolder(tmp_path)
    names = [f"20140606_aapl_tick_{{}}_american_{right}_6500000_20140621.csv" for right in ("call", "put")]
    folder.archive(
        "option/20140606_trade_american.zip",
        {name.format("trade"): f"{NOON_MS},200,1,C,0,0" for name in names},
    )
    quotes = (f"{NOON_MS - 9},100,1,200,1,C,0", f"{NOON_MS - 9},200,1,300,1,C,0")
    folder.archive(
        "option/20140606_quote_american.zip",
        {name.format("quote"): line for name, line in zip(names, quotes, strict=True)},
    )
    folder.archive(
        "equity/20140606_quote.zip", {"20140606_aapl_tick_quote.csv": f"{NOON_MS - 1},1,1,2,1,C,0,0"}
    )
    rows: list[MarketRow] = list(LeanHistory(tmp_path).rows(MarketKind.TRADE, DAY) or ())
    assert [row.aggressor for row in rows if isinstance(row, Trade)] == ["buy", "sell"]


def test_a_chain_of_ticks_and_dots_has_quote_volume_and_spot(tmp_path: Path) -> None:
    """The chain of a symbol with a dot is one, whatever its OCC root; ticks count as volume."""
    folder = LeanFolder(tmp_path)
    name = "20140606_brk.b_tick_{}_american_call_1300000_20140621.csv"
    trades = f"{NOON_MS},200,3,C,0,0\n{NOON_MS},210,4,C,0,0"
    folder.archive("option/tick/20140606_trade_american.zip", {name.format("trade"): trades})
    folder.archive(
        "option/tick/20140606_quote_american.zip", {name.format("quote"): f"{NOON_MS},100,1,300,1,C,0"}
    )
    folder.archive(
        "equity/tick/20140606_trade.zip", {"20140606_brk.b_tick_trade.csv": f"{NOON_MS},1280000,5,N,0,0"}
    )
    (chain,) = LeanHistory(tmp_path).rows(MarketKind.CHAIN, DAY) or ()
    assert isinstance(chain, ChainSnapshot)
    (contract,) = chain.contracts
    assert (chain.symbol, chain.spot, contract.option.symbol) == ("BRK B", Decimal(128), "BRK B")
    assert (contract.bid, contract.last, contract.volume) == tuple(map(Decimal, ("0.01", "0.021", "7")))


def test_a_chain_file_of_a_class_of_shares_writes_its_mark_into_the_root(tmp_path: Path) -> None:
    """The origin's OCC symbol is `BRK.B 140621C00130000`, and its underlying's line says `BRK.B`."""
    path = tmp_path / "option/usa/universes/brk.b/20140606.csv"
    path.parent.mkdir(parents=True)
    rest = ",1,1,1,128,0,5,0,0,0,0,0,0"
    lines = ["id", "BRK.B"], ["id", "BRK.B 140621C00130000"], ["id", "BRKB  140621P00130000"]
    path.write_text("\n".join(",".join(line) + rest for line in lines))
    rows = list(LeanHistory(tmp_path).rows(MarketKind.CHAIN, DAY) or ())
    assert [row for row in rows if isinstance(row, RefusedRow)] == []
    (chain,) = (row for row in rows if isinstance(row, ChainSnapshot))
    assert (chain.symbol, chain.spot) == ("BRK B", Decimal(128))
    told = {(each.option.symbol, each.option.trading_class) for each in chain.contracts}
    assert (len(chain.contracts), told) == (2, {("BRK B", "BRKB")})


@pytest.mark.parametrize("kind", [MarketKind.BAR, MarketKind.CHAIN])
def test_a_truncated_archive_is_named_and_the_others_are_read(tmp_path: Path, kind: MarketKind) -> None:
    """What was written by half is a refusal that says so, also in a chain that lacks its rows."""
    folder = LeanFolder(tmp_path)
    for root in ("aapl", "goog"):
        member = f"20140606_{root}_minute_{{}}{OPTION}"
        folder.archive(f"{root}/20140606_openinterest_american.zip", {member.format("openinterest"): "0,5"})
        path = folder.archive(f"{root}/20140606_trade_american.zip", {member.format("trade"): BAR_LINE})
    path.write_bytes(path.read_bytes()[:-30])
    *rows, _ = sorted(
        LeanHistory(tmp_path).rows(kind, DAY) or (), key=lambda row: isinstance(row, RefusedRow)
    )
    refused = [row for row in (*rows, _) if isinstance(row, RefusedRow)]
    assert [row.reason.partition(": file")[0] for row in refused] == [
        "cannot be read: 20140606_trade_american.zip"
    ]
    assert "goog/20140606_trade_american.zip" in refused[0].payload
    assert rows


def test_other_assets_and_maps_of_names_are_left_alone(tmp_path: Path) -> None:
    """Their lines look like a share's; a folder of the same name above the data means nothing."""
    folder = LeanFolder(tmp_path / "crypto")
    for asset in ("forex/oanda", "crypto/gdax", "future/cme", "futureoption/cme"):
        folder.archive(f"{asset}/minute/x/20140606_trade.zip", {"20140606_x_minute_trade.csv": BAR_LINE})
    folder.archive("equity/usa/minute/aapl/20140606_trade.zip", {"20140606_aapl_minute_trade.csv": BAR_LINE})
    maps = folder.path / "equity/usa/map_files/aapl.csv"
    maps.parent.mkdir(parents=True)
    maps.write_text("19980102,aapl\n20501231,aapl,Q\n")
    folder.archive("equity/usa/map_files/map_files_20140606.zip", {"aapl.csv": "19980102,aapl"})
    (row,) = LeanHistory(folder.path).rows(MarketKind.BAR, DAY) or ()
    assert isinstance(row, Bar)
    assert LeanHistory(folder.path).splits() == ()


def test_factor_files_in_all_their_forms(tmp_path: Path) -> None:
    """Alone or all of them in an archive; a factor too large to be written is a beginning and no split."""
    lines = "19980102,0,0.0357143,1\ninf,0.1,1e+7,0\n20140606,0.93,0.0357143,645.57\r\n20501231,1,0.25,0\r\n"
    folder = LeanFolder(tmp_path)
    folder.archive(
        "equity/usa/factor_files/factor_files_20240102.zip", {"aapl.csv": lines, "brk.b.csv": lines}
    )
    alone = tmp_path / "reference/factor_file_aapl.csv"
    alone.parent.mkdir()
    alone.write_text(lines)
    splits = LeanHistory(tmp_path).splits()
    assert [(split.symbol, split.effective, split.numerator) for split in splits] == [
        ("AAPL", date(2014, 6, 9), 7),
        ("BRK B", date(2014, 6, 9), 7),
    ]


def test_a_chain_file_with_other_columns_is_read_by_its_header(tmp_path: Path) -> None:
    """What a file does not tell is unknown, and no zero."""
    path = tmp_path / "universes/aapl/20140606.csv"
    path.parent.mkdir(parents=True)
    path.write_text("#right,strike,expiry,close\nC,650,20140621,1\n,,,645.57\n\nP,650\n")
    refused, chain = LeanHistory(tmp_path).rows(MarketKind.CHAIN, DAY) or ()
    assert isinstance(refused, RefusedRow)
    assert isinstance(chain, ChainSnapshot)
    (contract,) = chain.contracts
    assert (chain.spot, contract.open_interest, contract.greeks) == (Decimal("645.57"), None, None)
    assert chain.at == datetime(2014, 6, 6, 19, 59, 59, 999_000, tzinfo=UTC)
