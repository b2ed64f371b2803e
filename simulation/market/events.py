"""What moved prices, as those outside can know it: scheduled news and surprises, each with whom it moved.

Made of the weather's shocks, so that no jump is without its event and no event without its move. What is
read about an event is in `simulation.http.articles`.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from simulation.market.mixing import mixed
from simulation.market.nature import nature_of
from simulation.market.news import NIGHT
from simulation.market.parts import MarketEvent, Move
from simulation.market.weather import SECTORS, Loadings, SessionWeather, Shock
from simulation.sample_desk.contracts import Underlying
from trading.calendar import TradingCalendar

NIGHT_NEWS = timedelta(minutes=-60)  # from the open
SALT_HEADLINE = 141
SURPRISE = "surprise"
OF_MARKET = (
    ("A bank is said to need capital", "New tariffs are announced", "A pipeline is shut after an attack"),
    ("Trade talks are said to advance", "Lawmakers agree on a budget", "A large rescue is agreed upon"),
)
OF_SYMBOL = (
    ("faces an inquiry", "loses a large customer", "cuts its guidance"),
    ("wins a large order", "is said to be a takeover target", "raises its guidance"),
)


def events_of(
    seed: int,
    drawn: Mapping[date, SessionWeather],
    model: Loadings,
    underlyings: Sequence[Underlying],
    calendar: TradingCalendar,
) -> tuple[MarketEvent, ...]:
    """All events of the sessions, in the order of time."""
    deviations = [nature_of(underlying).daily_deviation for underlying in underlyings]
    told = []
    for session, weather in drawn.items():
        opens = calendar.session_open(session)
        for shock in weather.shocks:
            sizes = model.of_shock(shock)
            moves = [
                Move(symbol=underlying.symbol, size=float(size), deviations=float(size) / deviation)
                for underlying, size, deviation in zip(underlyings, sizes, deviations, strict=True)
                if size
            ]
            moves.sort(key=lambda move: (-abs(move.deviations), move.symbol))
            told.append(_event(seed, opens, shock, underlyings, tuple(moves)))
    return tuple(sorted(told, key=lambda event: event.at))


def _event(
    seed: int, opens: datetime, shock: Shock, underlyings: Sequence[Underlying], moves: tuple[Move, ...]
) -> MarketEvent:
    news = shock.news
    if news is not None:
        at = opens + (NIGHT_NEWS if news.minute == NIGHT else timedelta(minutes=news.minute))
        return MarketEvent(
            at=at, symbol=news.symbol, kind=news.kind, headline=news.headline, is_scheduled=True, moves=moves
        )
    place = shock.factor - 1 - SECTORS
    symbol = underlyings[place].symbol if place >= 0 else ""
    at = opens + timedelta(minutes=shock.minute, seconds=shock.second)
    words = (OF_SYMBOL if symbol else OF_MARKET)[shock.size > 0]
    chosen = words[mixed(seed, int(at.timestamp()), shock.factor, SALT_HEADLINE) % len(words)]
    headline = f"{symbol} {chosen}" if symbol else chosen
    return MarketEvent(
        at=at, symbol=symbol, kind=SURPRISE, headline=headline, is_scheduled=False, moves=moves
    )
