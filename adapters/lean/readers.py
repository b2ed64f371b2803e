"""From an archive to typed rows: each member's instrument, its session's hours, and the form of its lines."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from adapters.lean.archives import OpenArchive
from adapters.lean.bars import bar_form, quote_form
from adapters.lean.catalog import Archive, Layout
from adapters.lean.names import LENGTHS, Resolution, read_share_member
from adapters.lean.series import Form, Hours, Origin, Series, refusal, session_rows
from adapters.lean.ticks import quote_tick_form, trade_form
from adapters.lean.values import MILLISECOND, hour_milliseconds, midnight, milliseconds, plain_price, price
from trading.calendar import option_close, session_close, session_open
from trading.errors import InvalidFieldError
from trading.market.tape import signed_trades
from trading.model.instruments import Equity
from trading.model.market import MarketRow, Quote, Trade
from trading.model.options import Option
from trading.model.symbology import parse_lean_member
from trading.model.times import NEW_YORK

Row = TypeVar("Row", Quote, Trade)
CHICAGO = ZoneInfo("America/Chicago")  # the clock of index files, not of the options on the index


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a member is about."""

    instrument_id: str
    closes: datetime
    option: Option | None = None


def archive_rows(folder: Path, archive: Archive, session: date) -> Iterator[MarketRow]:
    """Rows of one session, one member after another; a member that cannot be read is refused."""
    with OpenArchive(archive.path) as opened:
        for member in archive.members:
            origin = Origin(folder=folder, path=archive.path, member=member)
            series = None
            try:
                series, form = member_series(archive, session, origin)
                yield from session_rows(series, opened.lines(member), form)
            except InvalidFieldError as error:
                if series is not None:
                    yield from series.left_out()
                yield refusal(archive.symbol, session_open(session), error, origin)


def signed_rows(folder: Path, prints: Archive, quotes: Archive | None, session: date) -> Iterator[MarketRow]:
    """Prints of a share with their aggressors, by the quotes of the same tape; then what was left out."""
    told: Iterator[MarketRow] = iter(())
    if quotes is not None and quotes.resolution is Resolution.TICK and len(quotes.members) == 1:
        told = archive_rows(folder, quotes, session)
    if len(prints.members) != 1:  # one member is one share, and only then do both tapes run side by side
        yield from archive_rows(folder, prints, session)
        return
    left_out: list[MarketRow] = []
    trades = _only(Trade, archive_rows(folder, prints, session), left_out)
    yield from signed_trades(trades, _only(Quote, told, []))
    yield from left_out


def member_series(archive: Archive, session: date, origin: Origin) -> tuple[Series, Form]:
    """The instrument of a member and the form of its lines."""
    named = read_member(archive, session, origin.member)
    zone = CHICAGO if archive.layout is Layout.INDEX else NEW_YORK
    hours = Hours.between(midnight(session, zone), session_open(session), named.closes)
    series = Series(symbol=archive.symbol, instrument_id=named.instrument_id, origin=origin, hours=hours)
    return series, _form(archive, session, series)


def read_member(archive: Archive, session: date, member: str) -> Named:
    """Who a member is about and when its session closes; raises InvalidFieldError for a stranger."""
    if archive.layout is Layout.OPTION:
        told = parse_lean_member(member)
        if (told.kind, told.day, told.option.trading_class) != (archive.kind, archive.day, archive.root):
            raise InvalidFieldError("member", f"{archive.kind} of {archive.root} of {archive.day}", member)
        closes = option_close(told.option, session)
        return Named(instrument_id=told.option.instrument_id, closes=closes, option=told.option)
    share = read_share_member(member)
    if (share.kind, share.day, share.root) != (archive.kind, archive.day, archive.root):
        raise InvalidFieldError("member", f"{archive.kind} of {archive.root} of {archive.day}", member)
    is_index = archive.layout is Layout.INDEX
    name = f"IND:{share.root}" if is_index else Equity(symbol=share.root).instrument_id
    return Named(instrument_id=name, closes=session_close(session))


def _only(kind: type[Row], rows: Iterable[MarketRow], others: list[MarketRow]) -> Iterator[Row]:
    """Rows of one kind; what is left out of a member is told in few rows, so they are kept."""
    for row in rows:
        if isinstance(row, kind):
            yield row
        else:
            others.append(row)


def _form(archive: Archive, session: date, series: Series) -> Form:
    is_quote = archive.kind == "quote"
    if archive.resolution is Resolution.TICK:
        if archive.layout is not Layout.SHARE:
            raise InvalidFieldError("resolution", "second, minute or hour", archive.resolution)
        return quote_tick_form(series) if is_quote else trade_form(series)
    length_ms = LENGTHS[archive.resolution] // MILLISECOND
    by_hour = partial(hour_milliseconds, day=session)
    read_ms = by_hour if archive.resolution is Resolution.HOUR else milliseconds
    if is_quote:
        return quote_form(series, length_ms, read_ms)
    read_price = plain_price if archive.layout is Layout.INDEX else price
    return bar_form(series, length_ms, read_ms, read_price)
