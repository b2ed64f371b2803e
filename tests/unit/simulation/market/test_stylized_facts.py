"""Typical figures of the drawn market lie where those of the real tapes lie, and the script shows both."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from drawn_market import market, quotes_of, underlying

from simulation.market.facts import Figures, chain_figures, share_figures
from simulation.market.lean import read_folder
from simulation.market.stylized_facts import drawn_chain, drawn_share, main, recorded_chain, recorded_share


def _drawn() -> Figures:
    """Means over two shares and three sessions."""
    quotes = quotes_of(market())
    told = [
        share_figures(drawn_share(quotes, underlying(symbol), day))
        for symbol in ("AAPL", "MSFT")
        for day in market().sessions[:3]
    ]
    return {name: float(np.mean([each[name] for each in told])) for name in told[0]}


def test_a_drawn_share_is_like_a_real_one(shared_data: Path) -> None:
    """Shape of the day, clustering, crowds and spreads of IBM in 2013 are met within the bounds given."""
    folder = read_folder(shared_data / "lean-equity-ticks-201310")
    real = share_figures(recorded_share(folder, "IBM", date(2013, 10, 9)))
    drawn = _drawn()
    for name, most in (
        ("volume in the first half hour, %", 1.6),
        ("volume in a half hour at noon, %", 1.6),
        ("volume in the last half hour, %", 1.6),
        ("move of a minute after the opening, of one at noon", 1.8),
        ("move of a minute before the close, of one at noon", 2.0),
        ("yearly volatility of minutes, %", 1.6),
        ("prints a minute", 3.0),
        ("autocorrelation of prints a minute", 1.6),
        ("autocorrelation of signs, 1 print", 2.5),
        ("prints at or above the ask, %", 2.0),
        ("prints at or below the bid, %", 2.0),
        ("median spread, basis points", 5.0),
    ):
        assert 1 / most < drawn[name] / real[name] < most, (name, drawn[name], real[name])
    for name in ("autocorrelation of absolute returns, 1 minute", "excess kurtosis of minutes"):
        assert drawn[name] > 0 and real[name] > 0, name


def test_a_drawn_chain_is_like_a_real_one(shared_data: Path) -> None:
    """As in GOOG's chain, spreads are a smaller part of dearer options and most is traded near the money."""
    folder = read_folder(shared_data / "lean-goog-options-20151224")
    recorded = recorded_chain(folder, "GOOG", date(2015, 12, 24))
    assert recorded is not None
    real = chain_figures(recorded)
    drawn = chain_figures(
        drawn_chain(quotes_of(market(sessions=1)), underlying("AAPL"), market().sessions[0])
    )
    for figures in (real, drawn):
        spreads = [value for name, value in figures.items() if name.startswith("median spread of the price")]
        assert len(spreads) == 4 and spreads == sorted(spreads, reverse=True)
        assert figures["median spread near the money, $"] < figures["median spread far away, $"]
        assert figures["traded within 5 % of the spot, %"] > 75
        assert 5 < figures["quotes without a bid, %"] < 45


def test_the_script_tells_the_drawn_side_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without recordings both tables have the drawn columns; a folder of another kind is passed over."""
    (tmp_path / "notes").mkdir()
    assert main(["--data", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "drawn AAPL" in told and "real" not in told
    assert "volume in the first half hour, %" in told and "quotes without a bid, %" in told
