"""The past and the bars of now: historical bars and ticks, 5-second bars, head time, histogram."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from simulation.broker.model import Quote
from simulation.broker.questions import Bar, Print
from simulation.tws.fields import double, flag, plain
from simulation.tws.replies import Message
from trading.model.times import NEW_YORK

ZONE = "US/Eastern"
AS_SECONDS = 2
DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class BarForm:
    """How a request wants its bars dated: text or seconds, with a time or only a day."""

    format_date: int
    bar_s: int

    def date_of(self, at: datetime) -> str:
        """The date of one bar."""
        if self.bar_s >= DAY_S:
            return f"{at.astimezone(NEW_YORK):%Y%m%d}"
        if self.format_date == AS_SECONDS:
            return str(int(at.timestamp()))
        return f"{at.astimezone(NEW_YORK):%Y%m%d %H:%M:%S} {ZONE}"


def historical_bars(
    request_id: int, start: datetime, end: datetime, bars: Sequence[Bar], form: BarForm
) -> Message:
    """All bars of a request in one message."""
    message = ["17", str(request_id), _moment(start), _moment(end), str(len(bars))]
    for bar in bars:
        message += [form.date_of(bar.at), *_prices(bar)]
        message += [plain(bar.volume), double(bar.average), str(bar.count)]
    return message


def bar_update(request_id: int, bar: Bar, form: BarForm) -> Message:
    """The bar of now; its fields come in an order of their own (close before high)."""
    return [
        "90",
        str(request_id),
        str(bar.count),
        form.date_of(bar.at),
        double(bar.open),
        double(bar.close),
        double(bar.high),
        double(bar.low),
        double(bar.average),
        plain(bar.volume),
    ]


def schedule(request_id: int, sessions: Sequence[tuple[date, datetime, datetime]]) -> Message:
    """When the contract trades: open, close and day of each session."""
    first, last = sessions[0][1], sessions[-1][2]
    message = ["106", str(request_id), _dashed(first), _dashed(last), ZONE, str(len(sessions))]
    for day, opens, closes in sessions:
        message += [_dashed(opens), _dashed(closes), f"{day:%Y%m%d}"]
    return message


def real_time_bar(request_id: int, bar: Bar) -> Message:
    """Five seconds that are over."""
    head = ["50", "3", str(request_id), str(int(bar.at.timestamp()))]
    return [*head, *_prices(bar), plain(bar.volume), double(bar.average), str(bar.count)]


def head_time(request_id: int, at: datetime, format_date: int) -> Message:
    """Since when there is data."""
    text = str(int(at.timestamp())) if format_date == AS_SECONDS else f"{at:%Y%m%d-%H:%M:%S}"
    return ["88", str(request_id), text]


def historical_trades(request_id: int, prints: Sequence[Print], is_whole: bool) -> Message:
    """Past trades."""
    message = ["98", str(request_id), str(len(prints))]
    for trade in prints:
        mask = trade.past_limit + 2 * trade.unreported
        message += [str(int(trade.at.timestamp())), str(mask), double(trade.price), str(trade.size)]
        message += [trade.exchange, trade.conditions]
    return [*message, flag(is_whole)]


def historical_quotes(request_id: int, quotes: Sequence[Quote], is_whole: bool) -> Message:
    """Past changes of the touch; a side that is not there is 0."""
    message = ["97", str(request_id), str(len(quotes))]
    for quote in quotes:
        message += [str(int(quote.at.timestamp())), "0", *_touch(quote)]
        message += [str(quote.bid_size), str(quote.ask_size)]
    return [*message, flag(is_whole)]


def historical_mids(request_id: int, mids: Sequence[tuple[datetime, Decimal]], is_whole: bool) -> Message:
    """Past middles."""
    message = ["96", str(request_id), str(len(mids))]
    for at, price in mids:
        message += [str(int(at.timestamp())), "0", double(price), "0"]
    return [*message, flag(is_whole)]


def histogram(request_id: int, counts: Sequence[tuple[Decimal, int]]) -> Message:
    """How much was traded at which price."""
    message = ["89", str(request_id), str(len(counts))]
    for price, size in counts:
        message += [double(price), str(size)]
    return message


def _prices(bar: Bar) -> Message:
    return [double(bar.open), double(bar.high), double(bar.low), double(bar.close)]


def _touch(quote: Quote) -> tuple[str, str]:
    return double(quote.bid or Decimal(0)), double(quote.ask or Decimal(0))


def _dashed(at: datetime) -> str:
    return f"{at.astimezone(NEW_YORK):%Y%m%d-%H:%M:%S}"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(NEW_YORK):%Y%m%d %H:%M:%S} {ZONE}"
