"""Folders from other hands play as Lean's own do, and as they are loaded: nothing twice, nothing unsaid."""

import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from small_recording import CALL, EARLY, OPENS_MS, moment, options

from simulation.market.lean import RecordingError
from simulation.market.replay import recorded_world

BARS = "34200000,10000,12000,9000,11000,8\n34260000,11000,11000,11000,11000,1"
PRINTS = 5  # four of a bar with four prices, one of a flat one
ENDS_MS = OPENS_MS + 600_000
HEADER = (
    "#expiry,strike,right,open,high,low,close,volume,open_interest,"
    "implied_volatility,delta,gamma,vega,theta,rho"
)


def quoted(text: str) -> str:
    """Every field in quotes."""
    return "\n".join(",".join(f'"{field}"' for field in line.split(",")) for line in text.split("\n"))


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        (str, ""),
        (lambda text: "\ufeff" + text.replace("\n", "\r\n"), ""),
        (quoted, ""),
        (lambda text: text.replace(",", " , "), ""),
        (lambda text: f"{text}\n{text}", "bars of a moment told before, left out: 2"),
    ],
    ids=["as it is", "a mark of bytes", "quotes", "blanks", "each bar again"],
)
def test_trades_are_those_of_the_file_once(tmp_path: Path, change: Callable[[str], str], remark: str) -> None:
    """A bar that stands there twice was traded twice here and loaded once."""
    options(tmp_path, EARLY, "trade", {CALL: change(BARS)})
    world = recorded_world(tmp_path)
    (call,) = (each for each in world.listings.by_conid.values() if each.asset == "OPT")
    prints = world.tape.prints(call, moment(EARLY, 0), moment(EARLY, ENDS_MS))
    assert (len(prints), sum(each.size for each in prints)) == (PRINTS, 9)
    assert remark in "\n".join(world.remarks())


@pytest.mark.parametrize(
    "change",
    [
        str,
        lambda text: text.replace("#", ""),
        lambda text: text.replace(HEADER, HEADER.upper()),
        quoted,
    ],
    ids=["as it is", "no mark of a header", "capitals", "quotes"],
)
def test_a_chain_file_has_its_greeks_by_the_names_of_its_columns(
    tmp_path: Path, change: Callable[[str], str]
) -> None:
    """A header without its mark was one more line that cannot be read; in capitals it named nothing."""
    options(tmp_path, EARLY, "trade", {CALL: BARS})
    path = tmp_path / "option/usa/universes/goog/20151224.csv"
    path.parent.mkdir(parents=True)
    greeks = "0.31,0.5,0.01,0.6,-0.4,0.2"
    path.write_text(change(f"{HEADER}\n,,,1,1,1,748.5,1,,,,,,,\n20160115,750,C,1,1,1,1,1,7,{greeks}"))
    world = recorded_world(tmp_path)
    (call,) = (each for each in world.listings.by_conid.values() if each.asset == "OPT")
    found = world.quotes.greeks(call, moment(EARLY, OPENS_MS))
    assert found is not None
    assert found.implied_volatility == 0.31
    assert [text for text in world.remarks() if "cannot be read" in text] == []


def test_a_folder_whose_only_archive_is_broken_says_so(tmp_path: Path) -> None:
    """`was none` would send its user to look for a file that is there."""
    options(tmp_path, EARLY, "trade", {CALL: BARS})
    (archive,) = tmp_path.rglob("*.zip")
    archive.write_bytes(archive.read_bytes()[:40])
    with pytest.raises(RecordingError, match=r"was none; .*20151224_trade_american\.zip: is no archive"):
        recorded_world(tmp_path)
    assert not zipfile.is_zipfile(archive)


CHRISTMAS = date(2015, 12, 25)


def test_a_folder_without_a_session_names_its_first_day(tmp_path: Path) -> None:
    """`expected one of , was 2015-12-25` helped nobody."""
    options(tmp_path, CHRISTMAS, "trade", {CALL: BARS})
    with pytest.raises(
        RecordingError, match=r"data: expected a session of the exchange in .*, was 2015-12-25"
    ):
        recorded_world(tmp_path)
