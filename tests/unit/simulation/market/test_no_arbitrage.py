"""The drawn surface admits no static arbitrage: at sampled minutes, in the soak at every one of a month."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from drawn_market import EARLY_CLOSE, bounds, market, quotes_of
from no_arbitrage import TOLERANCE, butterfly, calendar, fair_chain, parity

from simulation.market.mixing import between
from simulation.market.weather import CURVE, LEVEL, SKEW
from simulation.sample_desk.contracts import UNDERLYINGS


def _worst(session: date, seconds: Iterable[int]) -> dict[str, float]:
    """The worst violation of each kind over all underlyings."""
    quotes = quotes_of(market())
    worst = {"calendar": -np.inf, "butterfly": -np.inf, "chain": -np.inf, "parity": -np.inf}
    for underlying in UNDERLYINGS:
        chain = quotes.chains.chain(underlying, session)
        assert chain is not None
        for second in seconds:
            at, _ = quotes.pricing.sliced(chain, np.array([second]), slice(0, len(chain.expiries)))
            spot = quotes.paths.cents(underlying, second, session)
            found = (
                calendar(at),
                butterfly(at, spot),
                fair_chain(quotes.pricing, chain, second),
                parity(quotes.pricing, chain, second),
            )
            for name, value in zip(worst, found, strict=True):
                worst[name] = max(worst[name], value)
    return worst


def _sound(worst: dict[str, float]) -> bool:
    return worst["calendar"] <= 0.0 and all(value <= TOLERANCE for value in worst.values())


def test_sampled_minutes_of_a_month_are_free_of_arbitrage() -> None:
    """No calendar, butterfly or vertical gains, touches around fair prices, parity within the spread."""
    for session in market().sessions[::3]:
        opens, closes = bounds(market(), session)
        inner = [between(opens, closes - 1, session.toordinal(), place) for place in range(2)]
        worst = _worst(session, [opens, *inner, closes - 1])
        assert _sound(worst), (session, worst)


@pytest.mark.soak
@pytest.mark.timeout(1_800)
def test_every_minute_of_a_month_is_free_of_arbitrage() -> None:
    """The same for all minutes of all sessions and underlyings, the early close among them."""
    assert EARLY_CLOSE in market().sessions
    for session in market().sessions:
        opens, closes = bounds(market(), session)
        worst = _worst(session, range(opens, closes, 60))
        assert _sound(worst), (session, worst)


def test_the_checks_find_a_surface_that_has_an_arbitrage() -> None:
    """Variance that falls in time is a calendar; too much curvature is a butterfly."""
    quotes, session = quotes_of(market()), market().sessions[0]
    chain = quotes.chains.chain(UNDERLYINGS[0], session)
    assert chain is not None
    second = bounds(market(), session)[0] + 600
    at, state = quotes.pricing.sliced(chain, np.array([second]), slice(0, len(chain.expiries)))
    assert calendar(replace(at, theta=at.theta[::-1])) > 0.0
    bent = replace(at, skew=np.full_like(at.skew, -0.95), curve=np.full_like(at.curve, 6.0))
    assert butterfly(bent, int(state.spot[0])) > 1.0


def test_the_state_stays_where_the_theorems_hold() -> None:
    """Whatever the state does, |rho| < 1, eta (1 + |rho|) <= 2 and the level is positive, in every minute."""
    quotes = quotes_of(market())
    assert CURVE[1] * (1 + max(abs(SKEW[0]), abs(SKEW[1]))) <= 2.0 and LEVEL[0] > 0.0
    for session in market().sessions:
        weather = quotes.paths.weather(session)
        assert (np.abs(weather.skew) < 1.0).all()
        assert (weather.curve * (1.0 + np.abs(weather.skew)) <= 2.0).all()
        assert (weather.level > 0.0).all()


def test_skew_follows_returns() -> None:
    """A fall of the market lifts implied variance, by underlying and in the mean of a month's minutes."""
    quotes = quotes_of(market())
    for place in range(len(UNDERLYINGS)):
        returns, levels = [], []
        for session in market().sessions:
            weather = quotes.paths.weather(session)
            returns.append(np.diff(np.log(weather.knots[place])))
            levels.append(np.diff(weather.level[place]))
        assert np.corrcoef(np.concatenate(returns), np.concatenate(levels))[0, 1] < -0.5
