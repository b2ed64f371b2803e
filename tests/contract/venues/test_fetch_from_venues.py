"""`desk fetch --venue` puts whole answers into the account's folder of the inbox, and a key nowhere."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from desk_command import desk_json, run_desk, start_desk

from adapters.inbox.reader import VenueFileReader
from simulation.http.kalshi import KalshiStub
from simulation.http.kraken import KrakenStub, error
from simulation.http.server import Fault
from trading.ports.inbox import ReadFile

NOW = datetime.now(UTC)


def stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def kraken_fill(number: int) -> dict[str, Any]:
    return {
        "fill_id": f"fill-{number}",
        "symbol": "PF_ETHUSD",
        "side": "buy",
        "order_id": "o",
        "fillTime": stamp(NOW - timedelta(days=2, seconds=number)),
        "size": 0.001,
        "price": 3162.5,
        "fillType": "taker",
        "fee_paid": 0.001581,
        "fee_currency": "USD",
    }


def kalshi_fill(number: int) -> dict[str, Any]:
    return {
        "fill_id": f"fill-{number}",
        "order_id": "o",
        "ticker": "KXFED-26",
        "side": "no",
        "action": "buy",
        "count_fp": "1.50",
        "yes_price_dollars": "0.5600",
        "no_price_dollars": "0.4400",
        "fee_cost": "0.02",
        "is_taker": True,
        "created_time": stamp(NOW - timedelta(days=2, seconds=number)),
    }


def landed(home: Path, files: list[str]) -> list[ReadFile]:
    """What the inbox's reader makes of the files."""
    return [VenueFileReader().read((home / "inbox" / name).read_bytes(), name) for name in files]


def test_krakens_answers_become_files(tmp_path: Path, kraken_secret: str) -> None:
    """Fills over several pages and the positions, each figure as the venue printed it."""
    with KrakenStub([kraken_fill(n) for n in range(130)], api_key="key", secret=kraken_secret) as stub:
        assert isinstance(stub, KrakenStub)
        stub.positions = [
            {"side": "long", "symbol": "PF_ETHUSD", "price": 3162.123456789012345, "size": 0.13}
        ]
        keys = {"KRAKEN_FUTURES_KEY": "key", "KRAKEN_FUTURES_SECRET": kraken_secret}
        told = desk_json(tmp_path, "fetch", "--venue", "kraken", KRAKEN_FUTURES_URL=stub.url, **keys)
        stub.faults.append(Fault(error("authenticationError")))
        words = run_desk(tmp_path, "fetch", "--venue", "kraken", code=2, KRAKEN_FUTURES_URL=stub.url, **keys)
    assert (told["account"], told["fills"], told["positions"]) == ("kraken-main", 130, 1)
    fills, positions = landed(tmp_path, told["files"])
    assert [len(batch.fills) for batch in fills.batches] == [130]
    (statement,) = positions.statements
    assert [(str(row.quantity), row.account) for row in statement.positions] == [("0.13", "kraken-main")]
    everything = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(kraken_secret.encode() in content for content in (*everything, words.encode()))
    assert len(list((tmp_path / "inbox" / "kraken-main").iterdir())) == 2, "a refusal leaves no file"


def test_kalshis_answers_become_files(tmp_path: Path, rsa_key: rsa.RSAPrivateKey, rsa_pem: bytes) -> None:
    """Pages, fills and settlements; the moment of the question is noted in the positions."""
    key = tmp_path / "kalshi.pem"
    key.write_bytes(rsa_pem)
    over = {
        "ticker": "KXCPI-26",
        "market_result": "yes",
        "yes_count": 5,
        "no_count": 0,
        "revenue": 500,
        "settled_time": stamp(NOW - timedelta(days=1)),
    }
    with KalshiStub(
        [kalshi_fill(n) for n in range(3)], settlements=[over], key_id="key", public_key=rsa_key.public_key()
    ) as stub:
        assert isinstance(stub, KalshiStub)
        stub.positions = [{"ticker": f"KXFED-{n}", "position_fp": "-4.50"} for n in range(250)]
        told = desk_json(
            tmp_path,
            *("fetch", "--venue", "kalshi", "--days", "9"),
            KALSHI_URL=stub.url,
            KALSHI_KEY_ID="key",
            KALSHI_KEY_FILE=str(key),
            KALSHI_ACCOUNT="second",
        )
    assert (told["account"], told["fills"], told["positions"]) == ("second", 4, 250)
    fills, positions = landed(tmp_path, told["files"])
    assert sorted(str(fill.kind) for fill in fills.batches[0].fills) == ["booking", "trade", "trade", "trade"]
    (statement,) = positions.statements
    assert statement.generated_at == datetime.fromisoformat(told["asked_at"])
    assert len(statement.positions) == 250


def test_an_account_without_anything_is_told_too(tmp_path: Path, kraken_secret: str) -> None:
    """No fill and no position are answers that the reader takes."""
    with KrakenStub([], api_key="key", secret=kraken_secret) as stub:
        keys = {"KRAKEN_FUTURES_KEY": "key", "KRAKEN_FUTURES_SECRET": kraken_secret}
        told = desk_json(tmp_path, "fetch", "--venue", "kraken", KRAKEN_FUTURES_URL=stub.url, **keys)
    fills, positions = landed(tmp_path, told["files"])
    assert (fills.batches[0].fills, positions.statements[0].positions) == ((), ())


@pytest.mark.parametrize(
    ("venue", "more", "said"),
    [
        ("kraken", {}, "KRAKEN_FUTURES_KEY"),
        ("kalshi", {}, "KALSHI_KEY_ID"),
        ("kalshi", {"KALSHI_KEY_ID": "k", "KALSHI_KEY_FILE": "/nowhere/k.pem"}, "/nowhere/k.pem"),
        (
            "kraken",
            {
                "KRAKEN_FUTURES_KEY": "k",
                "KRAKEN_FUTURES_SECRET": "cw==",
                "KRAKEN_FUTURES_URL": "http://a.example",
            },
            "https",
        ),
        (
            "kraken",
            {"KRAKEN_FUTURES_KEY": "k", "KRAKEN_FUTURES_SECRET": "cw==", "KRAKEN_ACCOUNT": "../out"},
            "folder",
        ),
    ],
)
def test_what_is_not_configured_is_said(tmp_path: Path, venue: str, more: dict[str, str], said: str) -> None:
    """Exit code 2, and the variable or the fault by name; nothing is asked and nothing is written."""
    nowhere = {"KALSHI_URL": "http://127.0.0.1:9", "KRAKEN_FUTURES_URL": "http://127.0.0.1:9"}
    process = start_desk(tmp_path, "fetch", "--venue", venue, **{**nowhere, **more})
    _, words = process.communicate(timeout=120)
    assert process.returncode == 2
    assert said in words
    assert not (tmp_path / "inbox").exists()
