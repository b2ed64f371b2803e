"""Lean's files as they come from other hands: spreadsheets, Windows, another packer, columns turned round."""

import gzip
import logging
import zipfile
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.lean.history import LeanHistory
from adapters.lean.recorded_greeks import RecordedGreeks
from trading.model.market import ChainSnapshot, MarketKind, MarketRow, Quote, RefusedRow

DAY = date(2014, 6, 6)
MEMBER = "20140606_aapl_minute_quote_american_call_6500000_20140621.csv"
QUOTES = "43200000,6450000,6460000,6440000,6455000,3,,,,,0\n43260000,1,1,1,1,1,2,2,2,2,2\n"
GREEK_NAMES = "implied_volatility,delta,gamma,vega,theta,rho"
HEADER = f"#expiry,strike,right,open,high,low,close,volume,open_interest,{GREEK_NAMES}"
CONTRACT = "20140621,650,C,1,1,1,1,0,7,0.2,0.5,0,0,0,0"
CHAIN = f"{HEADER}\n,,,645,646,644,645.5,9,,,,,,,\n{CONTRACT}\n"
GREEKS = (
    ",model_price,model_impliedVol,model_delta,model_gamma,model_vega,model_theta,model_undPrice\n"
    "20140606 14:31:26.730840,2.5,0.2,0.5,0.01,0.1,-0.1,645.5\n"
)


def quoted(text: str) -> str:
    """Every field in quotes."""
    return "\n".join(",".join(f'"{field}"' for field in line.split(",")) for line in text.split("\n"))


def turned(text: str) -> str:
    """The columns from right to left."""
    rows = [line.removeprefix("#").split(",")[::-1] for line in text.strip().split("\n")]
    return "#" + "\n".join(",".join(row) for row in rows)


def chain_of(folder: Path, content: bytes, name: str = "20140606.csv") -> list[MarketRow]:
    """What is read of one chain file."""
    path = folder / "universes" / "aapl" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return list(LeanHistory(folder).rows(MarketKind.CHAIN, DAY) or ())


@pytest.mark.parametrize(
    ("member", "text"),
    [
        (f"data\\aapl\\{MEMBER}", QUOTES),
        (MEMBER, quoted(QUOTES)),
        (MEMBER, QUOTES.replace(",", " , ")),
        (MEMBER.upper(), "\ufeff" + QUOTES.replace("\n", "\r\n\r\n")),
    ],
    ids=["folders of Windows", "quotes", "blanks", "capitals, a mark of bytes, lines of Windows"],
)
def test_a_member_is_read_as_if_lean_had_written_it(tmp_path: Path, member: str, text: str) -> None:
    """A side without a price is none, whether its field is empty or blank."""
    path = tmp_path / "option/usa/minute/aapl/20140606_quote_american.zip"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, text.encode())
    rows = list(LeanHistory(tmp_path).rows(MarketKind.QUOTE, DAY) or ())
    assert [(row.bid, row.ask) for row in rows if isinstance(row, Quote)] == [
        (Decimal("645.5"), None),
        (Decimal("0.0001"), Decimal("0.0002")),
    ]
    assert len(rows) == 2


@pytest.mark.parametrize(
    "change",
    [
        str.strip,
        turned,
        quoted,
        lambda text: text.replace("#", ""),
        lambda text: text.replace(HEADER, HEADER.upper().replace(",", ", ")),
    ],
    ids=["as it is", "columns turned round", "quotes", "no mark of a header", "capitals and blanks"],
)
def test_a_chain_file_is_read_by_the_names_of_its_columns(
    tmp_path: Path, change: Callable[[str], str]
) -> None:
    """In whatever order and case they stand."""
    (chain,) = chain_of(tmp_path, change(CHAIN).encode())
    assert isinstance(chain, ChainSnapshot)
    (contract,) = chain.contracts
    assert (chain.spot, contract.option.strike, contract.open_interest) == (Decimal("645.5"), 650, 7)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("20140606.csv", gzip.compress(CHAIN.encode())),
        ("20140606.csv.gz", CHAIN.encode()),
        ("20140606.csv.gz", gzip.compress(CHAIN.encode())),
    ],
)
def test_a_file_is_unpacked_by_what_it_is_and_not_by_its_name(
    tmp_path: Path, name: str, content: bytes
) -> None:
    """A packed file under a plain name was hundreds of refused lines, and no chain."""
    (chain,) = chain_of(tmp_path, content, name)
    assert isinstance(chain, ChainSnapshot)


def test_a_contract_that_a_chain_file_tells_again_is_counted_and_another_word_of_it_is_refused(
    tmp_path: Path,
) -> None:
    """The first counts; the last one's greeks stood beside the first one's open interest, unsaid."""
    other = CONTRACT.replace(",7,0.2", ",8,0.3")
    rows = chain_of(tmp_path, (CHAIN + f"{CONTRACT}\n{CONTRACT}\n{other}\n").encode())
    (chain,) = (row for row in rows if isinstance(row, ChainSnapshot))
    (contract,) = chain.contracts
    assert contract.greeks is not None
    assert (contract.open_interest, contract.greeks.implied_volatility) == (7, 0.2)
    refused = [row for row in rows if isinstance(row, RefusedRow)]
    assert sorted((row.field, row.rows) for row in refused) == [("line", 1), ("line", 2)]
    assert any(other in row.payload for row in refused)


@pytest.mark.parametrize("change", [str, quoted, lambda text: text.replace("20140606 ", "2014-06-06 ")])
def test_a_recording_is_read_with_quotes_and_with_dashes(
    tmp_path: Path, change: Callable[[str], str]
) -> None:
    """Its session was none, and nobody was told."""
    (tmp_path / "AAPL140621C00650000.csv").write_text(change(GREEKS))
    assert RecordedGreeks(tmp_path).sessions(MarketKind.CHAIN) == [DAY]
    (chain,) = RecordedGreeks(tmp_path).rows(MarketKind.CHAIN, DAY) or ()
    assert isinstance(chain, ChainSnapshot)


def test_a_recording_whose_times_nobody_reads_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It has no session, so no session's load could name it."""
    (tmp_path / "AAPL140621C00650000.csv").write_text(GREEKS.replace("20140606 ", "June 6th "))
    with caplog.at_level(logging.WARNING):
        assert RecordedGreeks(tmp_path).sessions(MarketKind.CHAIN) == []
    assert "unreadable_times file=AAPL140621C00650000.csv lines=1 first=June 6th 14:31" in caplog.text
