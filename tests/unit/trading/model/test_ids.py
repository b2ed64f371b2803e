"""Ids are the same on every machine for ever, and name what they say they name."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.errors import InvalidFieldError
from trading.model.ids import (
    GenerationAnchor,
    fingerprint,
    generation_after_end,
    generation_in_force,
    generation_start,
    ordinals,
    signal_id,
    split_ibkr_execution_id,
    synthetic_fill_id,
)
from trading.model.instruments import Option

MONDAY = date(2026, 1, 12)
TUESDAY = date(2026, 1, 13)

# Published: sha1 of the text in the second column, first 20 digits. Never change a line here.
VECTORS = [
    ("SPY   260116C00660000", "zero_dte", "LONG", "SPY:zero_dte:LONG:20260116:C:660:100:SMART"),
    ("SPXW  210104P03700000", "one_dte", "SHORT", "SPX:one_dte:SHORT:20210104:P:3700:100:SMART"),
    ("GOOG  151231C00735125", "fourteen_dte", "LONG", "GOOG:fourteen_dte:LONG:20151231:C:735.125:100:SMART"),
]
DIGESTS = ["8c37fc45cb457c2205f9", "572f3bb21dac2e906293", "b77c35c3d1bdd14ed1f5"]


@pytest.mark.parametrize(("vector", "digest"), zip(VECTORS, DIGESTS, strict=True))
def test_published_fingerprints_never_change(vector: tuple[str, str, str, str], digest: str) -> None:
    """These vectors are fixed for ever: other systems and stored keys hold them."""
    occ, strategy, side, _ = vector
    assert fingerprint(Option.from_occ(occ), strategy=strategy, side=side) == f"sigfp:{digest}"


@pytest.mark.parametrize(("vector", "digest"), zip(VECTORS, DIGESTS, strict=True))
def test_published_fingerprints_are_sha1_of_the_documented_text(
    vector: tuple[str, str, str, str], digest: str
) -> None:
    """The formula alone, without our types, gives the same digits."""
    from hashlib import sha1

    assert sha1(vector[3].encode()).hexdigest()[:20] == digest


def test_fingerprint_is_the_same_in_another_process() -> None:
    """No hash seed, locale or import order takes part."""
    program = (
        "from trading.model.ids import fingerprint; from trading.model.instruments import Option; "
        "print(fingerprint(Option.from_occ('SPY   260116C00660000'), strategy='zero_dte', side='LONG'))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == f"sigfp:{DIGESTS[0]}"


def test_fingerprint_ignores_spelling_and_conid() -> None:
    """Case, strike spelling and the broker's id do not make another fingerprint."""
    plain = Option.from_occ("SPY   260116C00660000")
    named = Option.from_occ("SPY   260116C00660000", conid=5)
    assert fingerprint(named, strategy=" Zero_DTE ", side="long") == f"sigfp:{DIGESTS[0]}"
    assert fingerprint(plain, strategy="zero_dte", side="SHORT") != f"sigfp:{DIGESTS[0]}"


@pytest.mark.parametrize(
    ("strategy", "side"), [("", "LONG"), ("a:b", "LONG"), ("x", "BUY"), ("x", ""), ("x", "LONG:")]
)
def test_a_part_that_would_blur_the_text_is_refused(strategy: str, side: str) -> None:
    """A colon inside a part could make two contracts one."""
    with pytest.raises(InvalidFieldError):
        fingerprint(Option.from_occ("SPY   260116C00660000"), strategy=strategy, side=side)


def test_published_signal_id_never_changes() -> None:
    """Fixed for ever, as the fingerprints."""
    assert (
        signal_id(f"sigfp:{DIGESTS[0]}", schema_version=1, generation=generation_start(MONDAY))
        == "sig:d0b561ba1854e2493ae5"
    )


def test_signal_id_changes_with_each_of_its_parts() -> None:
    """Another contract, schema or generation is another decision."""
    names = {
        signal_id(mark, schema_version=schema, generation=generation)
        for mark in ("sigfp:a", "sigfp:b")
        for schema in (1, 2)
        for generation in (1, 2)
    }
    assert len(names) == 8


def test_generation_stays_while_its_decision_lives() -> None:
    """A position held over three sessions is one decision: seen again it gets the same id."""
    first = generation_in_force(None, MONDAY)
    assert generation_in_force(first, TUESDAY) == first


def test_generation_is_raised_after_an_acknowledged_end() -> None:
    """After an exit the re-entry is a new decision, the same day and on later days."""
    first = generation_in_force(None, MONDAY)
    again = generation_after_end(first, MONDAY)
    later = generation_after_end(again, TUESDAY)
    assert first < again < later
    assert later == generation_start(TUESDAY)


def test_anchor_is_session_or_expiry() -> None:
    """Strategies that enter once in a contract's life count from its expiry."""
    assert GenerationAnchor("session").anchor(session=MONDAY, expiry=TUESDAY) == MONDAY
    assert GenerationAnchor("expiry").anchor(session=MONDAY, expiry=TUESDAY) == TUESDAY


def test_generations_never_run_into_the_next_session() -> None:
    """Ten thousand decisions on one contract in one session is a fault, and says so."""
    last = generation_start(MONDAY) + 9_999
    assert last < generation_start(TUESDAY)
    with pytest.raises(InvalidFieldError, match="generation"):
        generation_after_end(last, MONDAY)


@settings(deadline=None)
@given(st.dates(date(1990, 1, 1), date(2099, 12, 30)))
def test_generations_of_later_days_are_higher(day: date) -> None:
    """Whatever was kept, the next session's start is above it."""
    assert generation_start(day) + 9_999 < generation_start(day + timedelta(days=1))


@pytest.mark.parametrize(
    ("exec_id", "fill_id", "revision"),
    [
        ("0000e0d5.67fe667b.01.01", "0000e0d5.67fe667b.01", 1),
        ("0000e0d5.67fe667b.01.02", "0000e0d5.67fe667b.01", 2),
        ("0000e183.6a58737f.04.01", "0000e183.6a58737f.04", 1),
        (" 0000e0d5.67fe667b.01.10 ", "0000e0d5.67fe667b.01", 10),
        ("abc.1", "abc", 1),
    ],
)
def test_execution_id_is_fill_and_revision(exec_id: str, fill_id: str, revision: int) -> None:
    """A correction differs only in the digits after the last period."""
    assert split_ibkr_execution_id(exec_id) == (fill_id, revision)


@pytest.mark.parametrize(
    "exec_id",
    [
        "",
        ".",
        "abc",
        "abc.",
        ".01",
        "a..01",
        "a.b.xx",
        "a.b.-1",
        "a.b.1 2",
        "a b.01",
        "a.٣",
        "a." + "9" * 10,
        None,
        7,
    ],
)
def test_malformed_execution_ids_are_refused(exec_id: Any) -> None:
    """An id without a numeric revision names no fill."""
    with pytest.raises(InvalidFieldError, match="exec_id"):
        split_ibkr_execution_id(exec_id)


def synthetic(**changes: Any) -> str:
    parts: dict[str, Any] = {
        "venue": "kraken",
        "account": "main",
        "order_id": "o-1",
        "side": "BUY",
        "quantity": Decimal("5000"),
        "price": Decimal("27937.5"),
        "venue_ts": datetime(2023, 4, 7, 15, 45, 10, 739_000, tzinfo=UTC),
        "ordinal": 0,
    }
    return synthetic_fill_id(**(parts | changes))


def test_published_synthetic_id_never_changes() -> None:
    """Fixed for ever: a fill stored today must be found again by its hash in years."""
    assert synthetic() == "syn:326d36d21e3a5d19bd538d451a4aaa140b6af02d"


def test_synthetic_id_ignores_spelling_of_number_and_zone() -> None:
    """5000, 5000.00 and the same moment in another zone are one fill."""
    moment = datetime(2023, 4, 7, 11, 45, 10, 739_000, tzinfo=timezone(timedelta(hours=-4)))
    assert synthetic(quantity=Decimal("5000.00"), price=Decimal("27937.500"), venue_ts=moment) == synthetic()


@pytest.mark.parametrize(
    "change",
    [
        {"venue": "kalshi"},
        {"account": "other"},
        {"order_id": "o-2"},
        {"side": "SELL"},
        {"quantity": Decimal(1)},
        {"price": Decimal(1)},
        {"venue_ts": datetime(2023, 4, 7, 15, 45, 10, 740_000, tzinfo=UTC)},
        {"ordinal": 1},
        {"account": "mai", "order_id": "no-1"},
    ],
)
def test_every_part_of_a_synthetic_id_counts(change: dict[str, Any]) -> None:
    """Two fills that differ in anything are two fills, and parts do not run into each other."""
    assert synthetic(**change) != synthetic()


@pytest.mark.parametrize("change", [{"order_id": " "}, {"ordinal": -1}, {"venue_ts": datetime(2023, 4, 7)}])
def test_a_synthetic_id_needs_order_moment_and_ordinal(change: dict[str, Any]) -> None:
    """Nothing to hash is a refusal, not an id of blanks; a naive time is one too."""
    with pytest.raises(InvalidFieldError):
        synthetic(**change)


def test_two_equal_fills_in_one_millisecond_are_two() -> None:
    """Equal rows are numbered, others stay at zero."""
    assert ordinals([("a", "row"), ("b", "row"), ("a", "row"), ("a", "row")]) == [0, 0, 1, 2]


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"))), st.randoms())
def test_ordinals_do_not_depend_on_order(rows: list[tuple[str, str]], chance: Any) -> None:
    """The same rows in any order get the same numbers, so two readers agree."""
    shuffled = list(rows)
    chance.shuffle(shuffled)
    named = sorted((*row, number) for row, number in zip(rows, ordinals(rows), strict=True))
    assert named == sorted((*row, number) for row, number in zip(shuffled, ordinals(shuffled), strict=True))
    assert len(set(named)) == len(named)
