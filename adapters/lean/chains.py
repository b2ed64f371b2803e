"""A symbol's chain at the close of a session, put together from the files that tell of it.

Contracts: all that the day's open interest, its chain file or its quotes name; each with the last quote, the
volume of the session, the open interest of the morning (by its own file, else by the chain file, which
says the same where both do), and model values where the chain file has them.
Nothing is cleaned: a series that files name under its old and its new strike is in the chain twice, and a
check says so. A whole chain is held in memory, never the quotes of a day.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from adapters.lean.archives import NumberedLine, OpenArchive
from adapters.lean.catalog import Archive, Catalog, Layout
from adapters.lean.choice import choose_archives, finest
from adapters.lean.names import COARSE_ONES, LeanFile
from adapters.lean.readers import archive_rows, read_member
from adapters.lean.series import FEED, Origin, broken, is_broken, refusal
from adapters.lean.universes import universe_rows
from adapters.lean.values import MILLISECOND, hour_milliseconds, milliseconds, whole
from trading.calendar import session_close, session_open
from trading.errors import InvalidFieldError
from trading.model.market import (
    Bar,
    ChainContract,
    ChainSnapshot,
    MarketRow,
    OptionGreeks,
    Quote,
    RefusedRow,
    Trade,
)
from trading.model.options import Option, underlying_of_root

OPEN_INTEREST_FIELDS = 2
OPTION_PREFIX = "OPT:"


@dataclass(slots=True)
class _Contract:
    """What the files told of one contract so far."""

    option: Option
    quote: Quote | None = None
    last: Decimal | None = None
    volume: Decimal = Decimal(0)
    open_interest: int | None = None
    greeks: OptionGreeks | None = None
    is_listed: bool = False


@dataclass(slots=True)
class _Chain:
    """What the files told of one symbol so far; contracts by instrument id.

    What a class with a file of trades did not trade has a volume of zero, and not an unknown one.
    """

    contracts: dict[str, _Contract] = field(default_factory=dict)
    traded_classes: set[str] = field(default_factory=set)
    spot: Decimal | None = None
    told_spot: Decimal | None = None  # by the chain file, which may mean another moment

    def of(self, option: Option) -> _Contract:
        return self.contracts.setdefault(option.instrument_id, _Contract(option))

    def named(self, instrument_id: str, archive: Archive) -> _Contract:
        held = self.contracts.get(instrument_id)
        if held is None:  # the OCC symbol has no dots, the file's name has
            option = Option.from_occ(instrument_id.removeprefix(OPTION_PREFIX))
            held = self.of(replace(option, symbol=archive.symbol, trading_class=archive.root))
        return held


def has_chain(catalog: Catalog, session: date) -> bool:
    """Whether any file tells which contracts there were."""
    if catalog.universes(session) or catalog.has_option_quotes(session):
        return True
    return any(True for _ in catalog.of_day(session, "openinterest"))


def chain_rows(catalog: Catalog, session: date) -> Iterator[MarketRow]:
    """One snapshot for each symbol, and what could not be read of open interest and chain files.

    Refused lines of quotes and trades are told with these; a file that is broken is told here, too, since its
    rows are missing from the chain.
    """
    at = session_close(session) - MILLISECOND
    chains: dict[str, _Chain] = {}
    archives, refused = choose_archives(catalog, session, "openinterest", at)
    yield from refused
    for archive in finest(archives):
        yield from _add_open_interest(chains, catalog, archive, session, at)
    for file in catalog.universes(session):
        yield from _add_universe(chains, catalog, file, at)
    for kind, add in (("quote", _add_quotes), ("trade", _add_trades)):
        archives, refused = choose_archives(catalog, session, kind, at)
        yield from filter(is_broken, refused)
        for archive in finest(archives):
            yield from add(chains, catalog, archive, session)
    for symbol in sorted(chains):
        if chains[symbol].contracts:
            yield _snapshot(symbol, chains[symbol], session, at)


def _add_open_interest(
    chains: dict[str, _Chain], catalog: Catalog, archive: Archive, session: date, at: datetime
) -> Iterator[RefusedRow]:
    chain = chains.setdefault(archive.symbol, _Chain())
    with OpenArchive(archive.path) as opened:
        for member in archive.members:
            origin = Origin(folder=catalog.folder, path=archive.path, member=member)
            try:
                option = read_member(archive, session, member).option
            except InvalidFieldError as error:
                yield refusal(archive.symbol, at, error, origin)
                continue
            try:
                for line in opened.lines(member):
                    yield from _add_interest(chain, option, line, archive, session, origin)
            except InvalidFieldError as error:
                yield broken(archive.symbol, at, error, origin)


def _add_interest(
    chain: _Chain,
    option: Option | None,
    line: NumberedLine,
    archive: Archive,
    session: date,
    origin: Origin,
) -> Iterator[RefusedRow]:
    try:
        interest = _open_interest(archive, session, line[1].split(","))
    except InvalidFieldError as error:
        yield refusal(archive.symbol, session_open(session), error, origin, *line)
        return
    if option is not None and interest is not None:
        contract = chain.of(option)
        contract.open_interest, contract.is_listed = interest, True


def _open_interest(archive: Archive, session: date, fields: Sequence[str]) -> int | None:
    """The count of a line; None for another day's."""
    if len(fields) != OPEN_INTEREST_FIELDS:
        raise InvalidFieldError("line", f"{OPEN_INTEREST_FIELDS} fields", len(fields))
    if archive.resolution in COARSE_ONES:
        return None if hour_milliseconds(fields[0], session) is None else whole(fields[1])
    milliseconds(fields[0])
    return whole(fields[1])


def _add_universe(
    chains: dict[str, _Chain], catalog: Catalog, file: LeanFile, at: datetime
) -> Iterator[RefusedRow]:
    origin = Origin(folder=catalog.folder, path=file.path)
    try:
        root = catalog.symbol_of(file)
    except InvalidFieldError as error:
        yield refusal("", at, error, origin)
        return
    chain = chains.setdefault(underlying_of_root(root), _Chain())
    for row in universe_rows(root, at, origin):
        if isinstance(row, RefusedRow):
            yield row
        elif row.option is None:
            chain.told_spot = row.close
        else:
            contract = chain.of(row.option)
            contract.is_listed, contract.greeks = True, row.greeks
            if contract.open_interest is None:
                contract.open_interest = row.open_interest


def _add_quotes(
    chains: dict[str, _Chain], catalog: Catalog, archive: Archive, session: date
) -> Iterator[RefusedRow]:
    if archive.layout is not Layout.OPTION:
        return
    chain = chains.setdefault(archive.symbol, _Chain())
    for row in archive_rows(catalog.folder, archive, session):
        if isinstance(row, Quote):
            chain.named(row.instrument_id, archive).quote = row
        elif is_broken(row):
            yield row


def _add_trades(
    chains: dict[str, _Chain], catalog: Catalog, archive: Archive, session: date
) -> Iterator[RefusedRow]:
    chain = chains.setdefault(archive.symbol, _Chain())
    if archive.layout is Layout.OPTION:
        chain.traded_classes.add(archive.root)
    for row in archive_rows(catalog.folder, archive, session):
        if isinstance(row, Bar | Trade):
            _add_trade(chain, archive, row)
        elif is_broken(row):
            yield row


def _add_trade(chain: _Chain, archive: Archive, row: Bar | Trade) -> None:
    price, size = (row.close, row.volume) if isinstance(row, Bar) else (row.price, row.size)
    if archive.layout is Layout.OPTION:
        contract = chain.named(row.instrument_id, archive)
        contract.last, contract.volume = price, contract.volume + (size or 0)
    else:
        chain.spot = price


def _snapshot(symbol: str, chain: _Chain, session: date, at: datetime) -> ChainSnapshot:
    ordered = sorted(chain.contracts.values(), key=lambda item: (item.option.expiry, item.option.occ))
    listed = sum(contract.is_listed for contract in ordered)
    return ChainSnapshot(
        symbol=symbol,
        at=at,
        source=FEED,
        spot=chain.spot if chain.spot is not None else chain.told_spot,
        contracts=tuple(_contract(item, chain, session, at) for item in ordered),
        listed=listed or None,
    )


def _contract(item: _Contract, chain: _Chain, session: date, at: datetime) -> ChainContract:
    quote = item.quote
    return ChainContract(
        option=item.option,
        at=quote.at if quote else at,
        bid=quote.bid if quote else None,
        ask=quote.ask if quote else None,
        bid_size=quote.bid_size if quote else None,
        ask_size=quote.ask_size if quote else None,
        last=item.last,
        volume=item.volume if item.option.trading_class in chain.traded_classes else None,
        open_interest=item.open_interest,
        open_interest_date=session if item.open_interest is not None else None,
        greeks=item.greeks,
    )
