"""Contracts of chains take turns, and each is asked its open interest once a session."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from adapters.ibkr.market import rotation as rotation_module
from adapters.ibkr.market.lines import KnownContract
from adapters.ibkr.market.rotation import LOOK_MAX, OPEN_INTEREST_TICKS, OPEN_INTEREST_WAIT, Rotation
from trading.model.instruments import Option, Right

NOW = datetime(2026, 11, 13, 15, tzinfo=UTC)


def contracts(*conids: int) -> list[KnownContract]:
    """Contracts of one symbol."""
    return [
        KnownContract(conid=each, symbol="SPY", sec_type="OPT", exchange="SMART", instrument_id=f"O:{each}")
        for each in conids
    ]


def looked(rotation: Rotation, room: int = 10, now: datetime = NOW) -> list[int]:
    """Begin the looks that may be begun; their numbers are the contracts'."""
    lines = list(rotation.next_looks(room, now))
    for line in lines:
        rotation.began(line.contract.conid, line, now)
    return [line.contract.conid for line in lines]


def test_every_contract_has_its_turn() -> None:
    """Two at once, in their order, and from the beginning again."""
    rotation = Rotation(2)
    rotation.choose("SPY", contracts(1, 2, 3))
    turns = []
    for _ in range(4):
        turns.append(looked(rotation))
        for conid in turns[-1]:
            rotation.over(conid)
    assert turns == [[1, 2], [3, 1], [2, 3], [1, 2]]


def test_symbols_take_turns_too() -> None:
    """A symbol with few contracts does not wait for all of a large one, also where it comes later."""
    rotation = Rotation(8)
    rotation.choose("SPY", contracts(1, 2, 3, 4, 5))
    rotation.choose("QQQ", contracts(11, 12))
    rotation.choose("IWM", contracts(21))
    assert looked(rotation, 8) == [1, 11, 21, 2, 12, 3, 4, 5]


def test_one_contract_is_not_looked_at_twice_at_once() -> None:
    """More lines than contracts leave lines unused."""
    rotation = Rotation(10)
    rotation.choose("SPY", contracts(1, 2))
    assert looked(rotation) == [1, 2]
    assert looked(rotation) == []


def test_open_interest_is_asked_until_it_was_told() -> None:
    """A line with generic tick 101 first; a plain look afterwards; another session asks anew."""
    rotation = Rotation(1)
    rotation.choose("SPY", contracts(1))
    (line,) = rotation.next_looks(1, NOW)
    assert line.ticks == OPEN_INTEREST_TICKS
    rotation.began(1, line, NOW)
    assert rotation.overdue(NOW + OPEN_INTEREST_WAIT) == [1]
    rotation.heard_open_interest(1)
    rotation.over(1)
    (line,) = rotation.next_looks(1, NOW)
    assert line.ticks == ""
    rotation.began(2, line, NOW)
    assert rotation.overdue(NOW + OPEN_INTEREST_WAIT) == []
    assert rotation.overdue(NOW + LOOK_MAX) == [2]
    rotation.begin_session()
    rotation.forget_looks()
    rotation.choose("SPY", contracts(1))
    (line,) = rotation.next_looks(1, NOW)
    assert line.ticks == OPEN_INTEREST_TICKS


def test_a_contract_that_left_and_came_back_is_asked_its_open_interest_again() -> None:
    """What the chain forgot, the rotation must not believe to be known."""
    rotation = Rotation(1)
    rotation.choose("SPY", contracts(1, 2))
    looked(rotation)
    rotation.heard_open_interest(1)
    rotation.over(1)
    rotation.choose("SPY", contracts(2))
    rotation.choose("SPY", contracts(2, 1))
    lines = []
    for number in (1, 2):
        (line,) = rotation.next_looks(1, NOW)
        rotation.began(number, line, NOW)
        rotation.over(number)
        lines.append((line.contract.conid, line.ticks))
    assert (1, OPEN_INTEREST_TICKS) in lines


def test_a_chosen_contract_keeps_its_place_when_others_change() -> None:
    """Strikes come and go with the spot; nobody is looked at twice because of that."""
    rotation = Rotation(1)
    rotation.choose("SPY", contracts(1, 2, 3))
    assert looked(rotation) == [1]
    rotation.over(1)
    rotation.choose("SPY", contracts(2, 3, 4))
    turns = []
    for _ in range(3):
        turns += looked(rotation)
        rotation.over(turns[-1])
    assert turns == [2, 3, 4]


def test_a_refused_look_rests_all_or_drops_one() -> None:
    """Too many lines: a pause; an unknown contract: it has no more turns."""
    rotation = Rotation(1)
    rotation.choose("SPY", contracts(1, 2))
    looked(rotation)
    rotation.refused(1, NOW + timedelta(seconds=60))
    assert looked(rotation) == []
    assert rotation.next_due() == NOW + timedelta(seconds=60)
    assert looked(rotation, now=NOW + timedelta(seconds=60)) == [2]
    rotation.refused(2, None)
    assert looked(rotation, now=NOW + timedelta(seconds=61)) == [1]


def test_all_turns_together_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is beyond has no turn; a symbol that is chosen anew has the room of its own contracts again."""
    monkeypatch.setattr(rotation_module, "CONTRACTS_MAX", 5)
    rotation = Rotation(10)
    rotation.choose("SPY", contracts(1, 2, 3))
    rotation.choose("QQQ", contracts(11, 12, 13))
    assert rotation.size == 5
    rotation.choose("SPY", contracts(2, 3, 4, 5))
    assert rotation.size == 5
    assert sorted(looked(rotation)) == [2, 3, 4, 11, 12]


def series(symbol: str, expiry: date, *strikes: int) -> list[KnownContract]:
    """Calls and puts by strike."""
    options = [
        Option(symbol=symbol, expiry=expiry, strike=Decimal(strike), right=right)
        for strike in strikes
        for right in (Right.CALL, Right.PUT)
    ]
    return [
        KnownContract(
            conid=int(each.strike) * 2 + (each.right is Right.PUT) + (1_000 if symbol == "QQQ" else 0),
            symbol=symbol,
            sec_type="OPT",
            exchange="SMART",
            instrument_id=each.instrument_id,
            option=each,
        )
        for each in options
    ]


def test_a_call_and_its_put_have_their_turns_one_behind_the_other() -> None:
    """Also between many symbols, where the room ends between the two, and when other strikes are chosen."""
    rotation, day = Rotation(100), NOW.date()
    rotation.choose("SPY", series("SPY", day, 100, 101, 102))
    rotation.choose("QQQ", series("QQQ", day, 100, 101))
    assert looked(rotation, 3) == [200, 201, 1200]
    for conid in (200, 201, 1200):
        rotation.over(conid)
    rotation.choose("SPY", series("SPY", day, 101, 102, 103))
    turns = looked(rotation, 20)
    assert sorted(turns) == [202, 203, 204, 205, 206, 207, 1200, 1201, 1202, 1203]
    places = {conid: turns.index(conid) for conid in turns}
    assert all(places[call + 1] - places[call] == 1 for call in (202, 204, 206, 1202)), turns


def test_what_is_near_comes_more_often_and_nothing_is_left_out() -> None:
    """Every third pair is near; all others have their turns between."""
    rotation, strikes = Rotation(2), range(100, 112)
    contracts_ = series("SPY", NOW.date(), *strikes)
    near = {each.conid for each in contracts_ if each.option and each.option.strike in (105, 106)}
    rotation.choose("SPY", contracts_, near)
    turns: list[int] = []
    for _ in range(30):
        turns += looked(rotation)
        for conid in turns[-2:]:
            rotation.over(conid)
    assert turns[:8] == [210, 211, 200, 201, 202, 203, 212, 213]
    assert set(turns) == {each.conid for each in contracts_}
    assert turns.count(210) == turns.count(212) == 5
    assert turns.count(200) == 2


def test_near_ones_that_are_still_looked_at_hold_nobody_up() -> None:
    """The others go on meanwhile."""
    rotation = Rotation(10)
    contracts_ = series("SPY", NOW.date(), 100, 101)
    rotation.choose("SPY", contracts_, {200, 201})
    assert looked(rotation, 2) == [200, 201]
    assert looked(rotation, 2) == [202, 203]
    assert looked(rotation, 2) == []


def test_one_pair_of_each_kind_take_turns() -> None:
    """A row of one pair has it at its front at once again."""
    rotation = Rotation(2)
    rotation.choose("SPY", series("SPY", NOW.date(), 100, 101), {200, 201})
    turns: list[int] = []
    for _ in range(6):
        turns += looked(rotation)
        for conid in turns[-2:]:
            rotation.over(conid)
    assert turns == [200, 201, 202, 203, 202, 203, 200, 201, 202, 203, 202, 203]
