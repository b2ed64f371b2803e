"""From an archive to typed rows: each member's instrument, its session's hours, and the form of its lines."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from adapters.lean.archives import OpenArchive
from adapters.lean.bars import bar_form, quote_form
from adapters.lean.catalog import Archive, Layout
from adapters.lean.names import COARSE_ONES, LENGTHS, Resolution, base_name, read_share_member
from adapters.lean.series import Form, Hours, Origin, Series, broken, refusal, session_rows
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
INDEXES_IN_NEW_YORK = frozenset({"NDX"})  # the origin's market hours: computed by Nasdaq, stamped there


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a member is about."""

    instrument_id: str
    closes: datetime
    option: Option | None = None


def archive_rows(folder: Path, archive: Archive, session: date) -> Iterator[MarketRow]:
    """Rows of one session, one member after another; a member that cannot be read is refused."""
    try:
        with OpenArchive(archive.path) as opened:
            for member in archive.members:
                yield from member_rows(folder, archive, opened, member, session)
    except InvalidFieldError as error:  # it was readable when it was looked at first
        yield broken(archive.symbol, session_open(session), error, Origin(folder=folder, path=archive.path))


def member_rows(
    folder: Path, archive: Archive, opened: OpenArchive, member: str, session: date
) -> Iterator[MarketRow]:
    """Rows of one member, and what was left out of it."""
    origin = Origin(folder=folder, path=archive.path, member=member)
    at = session_open(session)
    try:
        series, form = member_series(archive, session, origin)
    except InvalidFieldError as error:
        yield refusal(archive.symbol, at, error, origin)
        return
    try:
        yield from session_rows(series, lambda: opened.lines(member), form)
    except InvalidFieldError as error:
        yield from series.left_out()
        yield broken(archive.symbol, at, error, origin)


def signed_rows(folder: Path, prints: Archive, quotes: Archive | None, session: date) -> Iterator[MarketRow]:
    """Prints with their aggressors, each member's by the quotes of the same tape; then what was left out."""
    if quotes is None or quotes.resolution is not Resolution.TICK:
        yield from _signed(archive_rows(folder, prints, session), iter(()))
        return
    tapes = _members_by_name(quotes, session)
    try:
        with OpenArchive(prints.path) as told, OpenArchive(quotes.path) as tape:
            for member in prints.members:
                of = tapes.get(_name_of(prints, session, member))
                beside = member_rows(folder, quotes, tape, of, session) if of else iter(())
                yield from _signed(member_rows(folder, prints, told, member, session), beside)
    except InvalidFieldError as error:
        yield broken(prints.symbol, session_open(session), error, Origin(folder=folder, path=prints.path))


def _signed(rows: Iterable[MarketRow], quotes: Iterable[MarketRow]) -> Iterator[MarketRow]:
    left_out: list[MarketRow] = []
    yield from signed_trades(_only(Trade, rows, left_out), _only(Quote, quotes, []))
    yield from left_out


def _members_by_name(archive: Archive, session: date) -> Mapping[str, str]:
    named = {_name_of(archive, session, member): member for member in archive.members}
    named.pop("", None)
    return named


def _name_of(archive: Archive, session: date, member: str) -> str:
    """Whom a member is about; empty for a stranger, which is told where its lines are read."""
    try:
        return read_member(archive, session, member).instrument_id
    except InvalidFieldError:
        return ""


def member_series(archive: Archive, session: date, origin: Origin) -> tuple[Series, Form]:
    """The instrument of a member and the form of its lines."""
    named = read_member(archive, session, origin.member)
    is_in_chicago = archive.layout is Layout.INDEX and archive.root not in INDEXES_IN_NEW_YORK
    zone = CHICAGO if is_in_chicago else NEW_YORK
    hours = Hours.between(midnight(session, zone), session_open(session), named.closes)
    series = Series(symbol=archive.symbol, instrument_id=named.instrument_id, origin=origin, hours=hours)
    return series, _form(archive, session, series)


def read_member(archive: Archive, session: date, member: str) -> Named:
    """Who a member is about and when its session closes; raises InvalidFieldError for a stranger."""
    if archive.layout is Layout.OPTION:
        told = parse_lean_member(base_name(member))
        if (told.kind, told.day, told.option.trading_class) != (archive.kind, archive.day, archive.root):
            raise InvalidFieldError("member", f"{archive.kind} of {archive.root} of {archive.day}", member)
        closes = option_close(told.option, session)
        return Named(instrument_id=told.option.instrument_id, closes=closes, option=told.option)
    coarse = archive.resolution if archive.resolution in COARSE_ONES else None
    share = read_share_member(member, archive.kind, coarse)
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
    read_price = price if archive.is_scaled else plain_price
    if archive.resolution is Resolution.TICK:
        is_option = archive.layout is Layout.OPTION
        return quote_tick_form(series, read_price, is_option) if is_quote else trade_form(series, read_price)
    length_ms = LENGTHS[archive.resolution] // MILLISECOND
    by_day = partial(hour_milliseconds, day=session)
    read_ms = by_day if archive.resolution in COARSE_ONES else milliseconds
    if is_quote:
        return quote_form(series, length_ms, read_ms, read_price)
    return bar_form(series, length_ms, read_ms, read_price, has_volume=archive.layout is not Layout.INDEX)
