"""Minutes: told when they are over, again when a piece was late, never of less without saying so."""

import csv
import io
import math
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path

import pytest

from trading.market.bars import BARS_WAITING_MAX, MINUTES_KEPT, MinuteBars
from trading.model.market import Bar, BarOf, BarOrigin, Trade
from trading.model.times import NEW_YORK

NOON = datetime(2026, 11, 13, 17, tzinfo=UTC)


def later(seconds: float) -> datetime:
    """A moment of the day."""
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def bars() -> MinuteBars:
    """Minutes of trades."""
    return MinuteBars("SPY", "STK:SPY", conid=756733)


def minute(bars: MinuteBars, number: int = 0, without: tuple[int, ...] = ()) -> None:
    """A minute of pieces that rise by a cent each."""
    for second in range(0, 60, 5):
        if second not in without:
            price = 500 + second / 500
            prices = (price, price + 0.01, price - 0.01, price)
            bars.piece(later(60 * number + second), prices, 100, price, 3)


def test_twelve_pieces_are_a_minute_that_is_told_with_the_last(bars: MinuteBars) -> None:
    """Open of the first, close of the last, the extremes, the sums, the average by volume."""
    minute(bars, without=(55,))
    assert bars.flush() == ()
    bars.piece(later(55), (500.11, 500.12, 500.1, 500.11), 100, 500.11, 3)
    assert bars.flush() == (
        Bar(
            symbol="SPY",
            instrument_id="STK:SPY",
            at=NOON,
            seconds=60,
            open=Decimal(500),
            high=Decimal("500.12"),
            low=Decimal("499.99"),
            close=Decimal("500.11"),
            volume=Decimal(1200),
            average=Decimal("500.055"),
            trades=36,
            conid=756733,
        ),
    )
    assert bars.flush() == ()


def test_a_minute_is_told_when_its_time_is_over(bars: MinuteBars) -> None:
    """A symbol that goes quiet does not keep its last minute; the last pieces have some time to come."""
    minute(bars, without=(50, 55))
    bars.advance(later(62))
    assert bars.flush() == ()
    bars.advance(later(90))
    assert [bar.at for bar in bars.flush()] == [NOON]
    bars.advance(later(200))
    assert bars.flush() == ()


def test_a_minute_without_some_of_its_pieces_says_so(bars: MinuteBars) -> None:
    """The bar is made of what is there, and is told as a part; it is not known whole."""
    minute(bars, without=(0, 55))
    assert bars.flush() == ()
    bars.piece(later(60), (501, 501, 501, 501), 1, 501, 1)
    (bar,) = bars.flush()
    assert bar.volume == 1000
    assert bar.origin is BarOrigin.PARTIAL


def test_a_late_piece_has_its_minute_told_again(bars: MinuteBars) -> None:
    """The same key, the whole bar; it is no part any more."""
    minute(bars, without=(55,))
    minute(bars, 1)
    assert BarOrigin.PARTIAL in {bar.origin for bar in bars.flush()}
    bars.piece(later(55), (600, 600, 600, 600), 50, 600, 1)
    (again,) = bars.flush()
    assert (again.at, again.high, again.close) == (NOON, Decimal(600), Decimal(600))
    assert again.volume == 1150
    assert again.origin is BarOrigin.TOLD
    assert bars.told_again == 1


def test_a_piece_told_again_counts_once(bars: MinuteBars) -> None:
    """After a line is asked for anew the newest piece may come twice."""
    minute(bars)
    assert bars.flush()[0].volume == 1200
    bars.piece(later(55), (500.11, 500.12, 500.1, 500.11), 100, 500.11, 3)
    assert bars.flush() == ()
    bars.piece(later(60), (501, 501, 501, 501), 1, 501, 1)
    bars.piece(later(60), (501, 501, 501, 501), 2, 501, 1)
    bars.advance(later(200))
    assert bars.flush()[0].volume == 2


def test_a_piece_of_a_minute_that_is_forgotten_replaces_nothing(bars: MinuteBars) -> None:
    """A bar of one piece must not stand in the place of a whole one."""
    for number in range(MINUTES_KEPT + 5):
        minute(bars, number)
        bars.flush()
    bars.piece(later(30), (1, 1, 1, 1), 1, 1, 1)
    assert bars.flush() == ()
    assert bars.flush_refused()[0].reason == "too late"


@pytest.mark.parametrize(
    ("at", "prices", "reason"),
    [
        (later(-5), (500, 500, 500, 500), "outside the session"),
        (later(3600), (500, 500, 500, 500), "outside the session"),
        (later(3), (500, 500, 500, 500), "a time between the pieces"),
        (later(5), (500, 499, 500, 500), "prices that are none"),
        (later(5), (500, 501, 500.5, 501), "prices that are none"),
        (later(5), (math.nan, 501, 499, 500), "prices that are none"),
        (later(5), (500, 501, 499, math.nan), "prices that are none"),
        (later(5), (500, math.inf, 499, 500), "prices that are none"),
        (later(5), (-1, 500, -1, 500), "prices that are none"),
    ],
)
def test_what_is_no_piece_of_the_session_goes_to_the_dead_letter(
    bars: MinuteBars, at: datetime, prices: tuple[float, ...], reason: str
) -> None:
    """Named and counted; the minute is made without it."""
    bars.begin_session(NOON, later(3600))
    bars.piece(at, prices, 1, 500, 1)
    (row,) = bars.flush_refused()
    assert (row.feed, row.reason) == ("bar", reason)
    assert bars.refused == 1
    bars.advance(later(100_000))
    assert bars.flush() == ()


def test_a_flood_of_wrong_pieces_is_counted_and_bounded(bars: MinuteBars) -> None:
    """Each flush tells so many at most; the count tells all."""
    for _ in range(BARS_WAITING_MAX + 5):
        bars.piece(NOON, (-1, -1, -1, -1), 1, 500, 1)
    assert len(bars.flush_refused()) == BARS_WAITING_MAX
    assert bars.refused == BARS_WAITING_MAX + 5


def test_the_session_begins_with_its_opening_piece_and_ends_before_its_close(bars: MinuteBars) -> None:
    """The piece of the close belongs to no minute of the session."""
    bars.begin_session(NOON, later(60))
    bars.piece(NOON, (500, 500, 500, 500), 1, 500, 1)
    bars.piece(later(60), (501, 501, 501, 501), 1, 501, 1)
    assert bars.refused == 1
    bars.advance(later(90))
    assert [bar.close for bar in bars.flush()] == [Decimal(500)]


def test_an_index_has_no_volume(bars: MinuteBars) -> None:
    """-1 is none, which is not nothing; a quiet minute has a volume of 0 and no average."""
    index = MinuteBars("SPX", "IND:SPX", of=BarOf.TRADES)
    index.piece(NOON, (5000, 5000, 5000, 5000), -1, -1, -1)
    index.advance(later(90))
    (bar,) = index.flush()
    assert (bar.volume, bar.average, bar.trades) == (None, None, None)
    bars.piece(NOON, (500, 500, 500, 500), 0, 0, 0)
    bars.advance(later(90))
    (quiet,) = bars.flush()
    assert (quiet.volume, quiet.average, quiet.trades) == (Decimal(0), None, 0)


def recorded_trades(path: Path, day: str) -> list[Trade]:
    """The prints of a recorded day in regular hours."""
    midnight = datetime.strptime(day, "%Y%m%d").replace(tzinfo=NEW_YORK).astimezone(UTC)
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as file:
        return [
            Trade(
                symbol="IBM",
                instrument_id="STK:IBM",
                at=midnight + timedelta(milliseconds=int(row[0])),
                price=Decimal(row[1]).scaleb(-4),
                size=Decimal(row[2]),
            )
            for row in csv.reader(io.TextIOWrapper(file))
            if row[-1] == "0" and 34_200_000 <= int(row[0]) < 57_600_000
        ]


def bars_of(trades: Iterable[Trade], seconds: int) -> Iterator[Bar]:
    """Bars of prints, added up by hand; times without prints have none."""

    def begin(trade: Trade) -> datetime:
        return trade.at.replace(second=trade.at.second // seconds * seconds, microsecond=0)

    for at, prints in groupby(trades, key=begin):
        told = list(prints)
        prices = [trade.price for trade in told]
        volume = sum((trade.size for trade in told), Decimal(0))
        notional = sum((trade.price * trade.size for trade in told), Decimal(0))
        yield Bar(
            symbol="IBM",
            instrument_id="STK:IBM",
            at=at,
            seconds=seconds,
            open=prices[0],
            high=max(prices),
            low=min(prices),
            close=prices[-1],
            volume=volume,
            average=(notional / volume).quantize(Decimal("0.000001")),
            trades=len(told),
        )


def test_minutes_of_pieces_equal_minutes_of_prints(shared_data: Path) -> None:
    """A recorded day's prints as bars of five seconds, rolled up, and as minutes at once: the same bars."""
    folder = shared_data / "lean-equity-ticks-201310" / "ibm"
    trades = recorded_trades(folder / "20131007_trade.zip", "20131007")
    direct = list(bars_of(trades, seconds=60))
    rolled = MinuteBars("IBM", "STK:IBM")
    told: list[Bar] = []
    for piece in bars_of(trades, seconds=5):
        prices = (float(piece.open), float(piece.high), float(piece.low), float(piece.close))
        rolled.piece(piece.at, prices, float(piece.volume or 0), float(piece.average or 0), piece.trades or 0)
        told.extend(rolled.flush())
    rolled.advance(trades[-1].at + timedelta(minutes=2))
    told.extend(rolled.flush())
    assert len(told) == len(direct) > 380
    for ours, whole in zip(told, direct, strict=True):
        names = ("at", "open", "high", "low", "close", "volume", "trades")
        assert [getattr(ours, name) for name in names] == [getattr(whole, name) for name in names]
        assert ours.average is not None
        assert whole.average is not None
        assert abs(ours.average - whole.average) <= Decimal("0.000001")
    assert rolled.refused == 0
    assert sum(bar.volume or 0 for bar in told) == sum(trade.size for trade in trades)


@pytest.mark.parametrize("number", [1e10, 1e22, 1.7976931348623157e308])
def test_an_absurd_volume_average_or_count_is_none(bars: MinuteBars, number: float) -> None:
    """What no column holds is not added up, and the minute is told with its prices."""
    bars.piece(NOON, (500, 500, 500, 500), number, number, 2**31 - 1)
    bars.piece(later(5), (500, 500, 500, 500), 100, number, 2**63 - 1)
    bars.advance(later(200))
    (bar,) = bars.flush()
    assert (bar.close, bar.volume, bar.average, bar.trades) == (Decimal(500), Decimal(100), None, None)


def test_absurd_prices_are_no_piece(bars: MinuteBars) -> None:
    """A minute of them could not be averaged or stored."""
    bars.piece(NOON, (1e23, 1e23, 1e23, 1e23), 1e9, 1e23, 3)
    bars.advance(later(200))
    assert bars.flush() == ()
    assert bars.flush_refused()[0].reason == "prices that are none"
