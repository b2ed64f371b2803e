"""The option chain of one underlying on one session, laid out as arrays: right x expiry x strike.

Built once per underlying and session from what is listed. A cell that is not listed is computed with the rest
and never told. Keep out: prices (pricing.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from simulation.market.exact import ln
from simulation.market.hours import TradingHours
from simulation.market.mixing import Bits, Reals, mixed, mixed_more
from simulation.market.nature import Nature, nature_of
from simulation.market.news import News
from simulation.market.paths import SpotPaths
from simulation.market.profile import MINUTE, session_weight
from simulation.market.rules import MarketRule, rule_of
from simulation.sample_desk.contracts import Contract, Underlying

Ints = np.ndarray[tuple[int, ...], np.dtype[np.int64]]
CALL, PUT = 0, 1
SALT_CONTRACT = 141


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a contract is in its chain."""

    right: int
    expiry: int
    strike: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """One underlying's live series on a session. `flats` numbers cells in the order right, expiry, strike.

    last: epoch second of the last trade by expiry. closes: of the end of trading on this session. later:
    variance after this session, in full sessions. news: variance of news to come by expiry and minute. bits:
    what a contract's random numbers begin with, by flat number.
    """

    underlying: Underlying
    nature: Nature
    session: date
    rule: MarketRule
    expiries: tuple[date, ...]
    last: Ints
    closes: Ints
    later: Reals
    news: Reals
    strikes: Reals
    log_strikes: Reals
    contracts: tuple[Contract | None, ...]
    bits: Bits
    cells: Mapping[int, Cell]
    flats: Mapping[int, int]

    @property
    def is_european(self) -> bool:
        """Whether it is exercised at its end only."""
        return self.underlying.is_index

    @property
    def shape(self) -> tuple[int, int, int]:
        """Rights, expiries, strikes."""
        return 2, len(self.expiries), len(self.strikes)


@dataclass(slots=True)
class Chains:
    """All chains; each is built when it is asked for first and kept while its session lasts."""

    seed: int
    paths: SpotPaths
    hours: TradingHours
    news: Sequence[News]
    sessions: Sequence[date]
    contracts: Mapping[str, Sequence[Contract]]
    built: dict[tuple[str, date], Chain | None] = field(default_factory=dict)

    def chain(self, underlying: Underlying, session: date) -> Chain | None:
        """The chain of a session; None when nothing is live."""
        key = (underlying.symbol, session)
        if key not in self.built:
            self.built[key] = self._build(underlying, session)
        return self.built[key]

    def _build(self, underlying: Underlying, session: date) -> Chain | None:
        listed = self.contracts.get(underlying.symbol, ())
        live = [(item.expiry, item) for item in listed if item.expiry is not None and item.expiry >= session]
        if not live:
            return None
        samples = dict(live)
        days, strikes = sorted(samples), sorted({item.strike_cents for _, item in live})
        row = {day: place for place, day in enumerate(days)}
        column = {strike: place for place, strike in enumerate(strikes)}
        cells: dict[int, Cell] = {}
        flats: dict[int, int] = {}
        grid: list[Contract | None] = [None] * (2 * len(days) * len(strikes))
        for day, item in live:
            cell = Cell(CALL if item.right == "C" else PUT, row[day], column[item.strike_cents])
            flat = (cell.right * len(days) + cell.expiry) * len(strikes) + cell.strike
            cells[item.conid], flats[item.conid], grid[flat] = cell, flat, item
        conids = np.array([0 if item is None else item.conid for item in grid], dtype=np.uint64)
        cents = np.array(strikes, dtype=np.float64)
        last = [self.hours.last_trade_at(samples[day]).timestamp() for day in days]
        closes = [self.hours.of(samples[day], session).closes.timestamp() for day in days]
        return Chain(
            underlying=underlying,
            nature=nature_of(underlying),
            session=session,
            rule=rule_of(live[0][1]),
            expiries=tuple(days),
            last=np.array(last, dtype=np.int64),
            closes=np.array(closes, dtype=np.int64),
            later=np.array([self._later(session, day) for day in days]),
            news=self._news(underlying, session, days),
            strikes=cents,
            log_strikes=ln(cents),
            contracts=tuple(grid),
            bits=mixed_more(mixed(self.seed, SALT_CONTRACT), conids),
            cells=cells,
            flats=flats,
        )

    def _later(self, session: date, expiry: date) -> float:
        """Variance of the nights and sessions after this one up to the expiry, in full sessions."""
        total = 0.0
        for day in self.hours.calendar.sessions_between(session, expiry)[1:]:
            opens, closes = self.paths.bounds(day)
            total += session_weight((closes - opens) // MINUTE)
        return total

    def _news(self, underlying: Underlying, session: date, expiries: Sequence[date]) -> Reals:
        """Variance that scheduled news will bring, as long as it has not come."""
        opens, closes = self.paths.bounds(session)
        told = np.zeros((len(expiries), (closes - opens) // MINUTE + 1))
        for item in self.news:
            day = self.sessions[item.session]
            if item.symbol not in ("", underlying.symbol) or day < session:
                continue
            until = item.minute if day == session else told.shape[1]
            move = self._news_deviation(underlying, item) * item.deviation
            for place, expiry in enumerate(expiries):
                if expiry >= day and until > 0:
                    told[place, :until] = told[place, :until] + move * move
        return told

    def _news_deviation(self, underlying: Underlying, item: News) -> float:
        """A daily deviation of the news' factor, as a return of the underlying."""
        model, place = self.paths.model, self.paths.places[underlying.symbol]
        if item.symbol:
            return float(model.deviation[len(model.deviation) - len(self.paths.underlyings) + place])
        return float(model.beta[place] * model.deviation[0])
