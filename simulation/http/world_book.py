"""What a vendor of market data would see of a world, drawn or replayed.

Deterministic in the world's seed and the moment. Keep out: HTTP, how prices come about.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from simulation.http.articles import Article, articles_about, articles_of, newest_first
from simulation.http.vendor_book import NOTHING, Minute, Row
from simulation.market.world import World
from simulation.sample_desk.contracts import Contract, share_of
from trading.calendar import TradingCalendar
from trading.model.symbols import vendor_symbol
from trading.model.times import NEW_YORK

MINUTES_MOST = 400
CENTS = Decimal("0.01")
DAYS_OF_NEWS = 800


@dataclass(slots=True)
class WorldBook:
    """What a vendor would see of a world; deterministic in its seed and the moment."""

    world: World
    series: dict[str, list[Contract]] = field(default_factory=dict)
    reports: tuple[Article, ...] | None = None

    def options(self, symbol: str, at: datetime) -> list[Row] | None:
        """Every listed series that has not expired."""
        series = self._series(symbol)
        if not series:
            return None
        session = self.world.hours.session_of(at)
        if session not in self.world.sessions:
            return []
        alive = [contract for contract in series if contract.expiry and contract.expiry >= session]
        return [self._row(contract, at, session) for contract in alive]

    def minutes(self, symbol: str, at: datetime) -> Sequence[Minute] | None:
        """Bars of trades; of an index those of its value."""
        series = self._series(symbol)
        if not series or series[0].underlying is None:
            return None
        end = at.replace(second=0, microsecond=0)
        share = share_of(series[0].underlying)
        bars = self.world.tape.bars(share, end, MINUTES_MOST * 60, 60, "TRADES")
        return [
            Minute(bar.at, float(bar.high), float(bar.low), float(bar.close)) for bar in bars if bar.at < end
        ]

    def articles(self, symbol: str, since: datetime, at: datetime) -> list[Article] | None:
        """Reports of the world's events, and articles drawn from the seed, a few each session."""
        if symbol and not self._series(symbol):
            return None
        self._series("")
        names = sorted(self.series)
        days = _days(self.world.calendar, since, at)
        found = self._reports(symbol, since, at)
        for name in [symbol] if symbol else names:
            found += articles_of(self.world.seed, name, names, days, since, at)
        return newest_first(found)

    def _reports(self, symbol: str, since: datetime, at: datetime) -> list[Article]:
        if self.reports is None:
            told = (articles_about(self.world.seed, event) for event in self.world.events)
            self.reports = tuple(article for articles in told for article in articles)
        return [
            article
            for article in self.reports
            if since < article.published_at <= at
            and (not symbol or any(name == symbol for name, _, _ in article.tickers))
        ]

    def _series(self, symbol: str) -> list[Contract]:
        if not self.series:
            for contract in self.world.listings.by_conid.values():
                if contract.asset == "OPT" and contract.underlying is not None:
                    self.series.setdefault(contract.underlying.symbol, []).append(contract)
        return self.series.get(symbol, [])

    def _row(self, contract: Contract, at: datetime, session: date) -> Row:
        quote = self.world.tape.quote(contract, at)
        greeks = self.world.quotes.greeks(contract, at)
        mark = Decimal(round(self.world.quotes.fair_cents(contract, int(at.timestamp())))) * CENTS
        told: dict[str, float | None] = {
            "implied_volatility": greeks.implied_volatility if greeks else None,
            "delta": greeks.delta if greeks else None,
            "gamma": greeks.gamma if greeks else None,
            "theta": greeks.theta if greeks else None,
            "vega": greeks.vega if greeks else None,
            "rho": 0.0 if greeks else None,
        }
        return {
            **_named(contract),
            "last": _money(quote.last),
            "mark": _money(mark),
            "bid": _money(quote.bid),
            "bid_size": str(quote.bid_size),
            "ask": _money(quote.ask),
            "ask_size": str(quote.ask_size),
            "volume": str(quote.volume),
            "open_interest": str(self.world.quotes.open_interest(contract, session)),
            "date": session.isoformat(),
            **{name: "" if value is None else f"{value:.5f}" for name, value in told.items()},
        }


def _named(contract: Contract) -> Row:
    underlying = contract.underlying
    return {
        "contractID": contract.symbol.replace(" ", ""),
        "symbol": vendor_symbol(underlying.symbol) if underlying else "",
        "expiration": contract.expiry.isoformat() if contract.expiry else "",
        "strike": f"{contract.strike:.2f}",
        "type": "call" if contract.right == "C" else "put",
    }


def _money(price: Decimal | None) -> str:
    return NOTHING if price is None else f"{price:.2f}"


def _days(calendar: TradingCalendar, since: datetime, at: datetime) -> tuple[date, ...]:
    first = max(since, at - timedelta(days=DAYS_OF_NEWS)).astimezone(NEW_YORK).date()
    return calendar.sessions_between(first, at.astimezone(NEW_YORK).date())
