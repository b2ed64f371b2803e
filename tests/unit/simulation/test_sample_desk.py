"""The sample desk: same seed, same bytes; a month contains what it promises; its books balance."""

from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest

from simulation.sample_desk import Journal, write_sample_desk
from simulation.sample_desk.__main__ import main
from simulation.sample_desk.journal import JOURNAL_NAME
from simulation.sample_desk.month import Month, draw_month
from simulation.sample_desk.trades import TradeKind
from trading.calendar import TradingCalendar

FIRST = date(2026, 10, 15)


def _digests(directory: Path) -> dict[str, str]:
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def month() -> Month:
    """The default month."""
    return draw_month(5, FIRST, 21, 3, TradingCalendar())


def test_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    """Two runs with one seed write identical files, another seed writes others."""
    write_sample_desk(tmp_path / "one", seed=1, sessions=3)
    write_sample_desk(tmp_path / "two", seed=1, sessions=3)
    write_sample_desk(tmp_path / "other", seed=2, sessions=3)
    assert _digests(tmp_path / "one") == _digests(tmp_path / "two")
    assert _digests(tmp_path / "one") != _digests(tmp_path / "other")


def test_writing_again_touches_nothing(tmp_path: Path) -> None:
    """A second run leaves every file of the inbox as it is, so a watcher sees nothing new."""
    write_sample_desk(tmp_path, seed=1, sessions=2)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "inbox").rglob("*.*")}
    write_sample_desk(tmp_path, seed=1, sessions=2)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "inbox").rglob("*.*")} == before


def test_journal_survives_the_file(tmp_path: Path) -> None:
    """What is read back is the journal that was written, and it does not lie in the inbox."""
    journal = write_sample_desk(tmp_path, seed=1, sessions=2)
    assert Journal.read(tmp_path / JOURNAL_NAME) == journal
    assert not list((tmp_path / "inbox").rglob(JOURNAL_NAME))


@pytest.mark.parametrize(
    ("sessions", "accounts", "first"),
    [(1, 1, FIRST), (2, 1, FIRST), (4, 5, date(2025, 11, 26)), (6, 2, date(2026, 3, 5))],
)
def test_any_size_and_start_can_be_written(tmp_path: Path, sessions: int, accounts: int, first: date) -> None:
    """One session, one account, an early close, a change of the clock: all give a desk."""
    journal = write_sample_desk(
        tmp_path, seed=4, sessions=sessions, accounts=accounts, first_session=first, venues=False
    )
    assert len(journal.sessions) == sessions
    assert len(journal.files) == sessions * accounts * 4 + accounts  # one statement is fetched twice


@pytest.mark.parametrize(("accounts", "sessions"), [(0, 5), (10, 5), (1, 0), (1, 261)])
def test_sizes_out_of_bounds_are_refused_by_name(tmp_path: Path, accounts: int, sessions: int) -> None:
    """The error names the argument, the bound and the value."""
    with pytest.raises(ValueError, match=r"(accounts|sessions): expected 1 to \d+, was \d+"):
        write_sample_desk(tmp_path, seed=1, accounts=accounts, sessions=sessions)


def test_month_has_all_that_a_month_must_have(month: Month) -> None:
    """Partial fills in one second, combinations, corrections, busts, every ending, rebates, conversions."""
    trades = [trade for evening in month.evenings for trade in evening.trades]
    kinds = Counter(trade.kind for trade in trades)
    assert set(kinds) == set(TradeKind)
    assert 2_000 <= len(trades) <= 4_500
    assert len({trade.contract.conid for trade in trades}) >= 300
    assert {len(trade.prints) for trade in trades} == {1, 2}
    assert any(trade.busted for trade in trades)
    assert any(trade.fee < 0 for trade in trades)
    assert any(-Decimal(str(trade.fee)).as_tuple().exponent >= 7 for trade in trades if trade.fee % 1)
    same_second = Counter((trade.order.perm_id, trade.executed_at) for trade in trades if trade.order.perm_id)
    assert max(same_second.values()) >= 3
    legs = Counter(trade.order.group for trade in trades if trade.order.group)
    assert {2, 4} <= set(legs.values())


def test_delivered_shares_are_sold_and_some_are_left(month: Month) -> None:
    """Shares come by exercise and assignment, leave in executions of their own, and a left-over stays."""
    shares = [
        trade for evening in month.evenings for trade in evening.trades if trade.contract.asset == "STK"
    ]
    assert any(trade.kind is TradeKind.EXECUTION and trade.side < 0 for trade in shares)
    assert any(lot.trade.contract.asset == "STK" for evening in month.evenings for lot in evening.lots)


def test_positions_are_the_sum_of_the_trades(month: Month) -> None:
    """Every evening each account holds what its trades so far add up to."""
    held: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for evening in month.evenings:
        for trade in evening.trades:
            if trade.kind is not TradeKind.CONVERSION:
                held[evening.account.name, trade.contract.conid] += trade.signed_quantity
        for (account, conid), quantity in held.items():
            if account == evening.account.name:
                assert evening.position(conid) == quantity


def test_cash_is_what_trades_and_events_moved(month: Month) -> None:
    """Ending cash is starting cash, net cash of the trades, both legs and fees of conversions, and events."""
    for evening in month.evenings:
        cash = defaultdict(Decimal, evening.starting_cash)
        for effect in evening.effects:
            trade = effect.trade
            money = trade.signed_quantity * trade.last.price * trade.contract.multiplier
            cash[trade.contract.currency] -= money
            cash[trade.fee_currency] -= trade.fee
            if trade.kind is TradeKind.CONVERSION:
                cash["EUR"] += trade.signed_quantity
        for event in evening.events:
            cash[event.currency] += event.amount
        assert dict(cash) == evening.ending_cash


def test_all_money_in_the_lots_is_money_that_moved(month: Month) -> None:
    """Cash paid for securities = realized so far + what stands in the open lots, to the last digit."""
    paid: dict[str, Decimal] = defaultdict(Decimal)
    realized: dict[str, Decimal] = defaultdict(Decimal)
    for evening in month.evenings:
        account = evening.account.name
        paid[account] += sum((effect.net_cash for effect in evening.effects), Decimal(0))
        realized[account] += sum((effect.realized for effect in evening.effects), Decimal(0))
        in_lots = sum((lot.cash for lot in evening.lots), Decimal(0))
        assert paid[account] == realized[account] + in_lots


def test_no_two_fills_share_an_id(month: Month) -> None:
    """Fill ids and row numbers are unique over all accounts."""
    trades = [trade for evening in month.evenings for trade in evening.trades]
    assert len({trade.fill_id for trade in trades}) == len(trades)
    rows = [row.transaction_id for trade in trades for row in (*trade.prints, *trade.cancels)]
    assert len(set(rows)) == len(rows)


def test_command_line_writes_and_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints one JSON object with the counts of what it wrote."""
    assert main(["--directory", str(tmp_path), "--seed", "2", "--sessions", "1", "--no-planted-breaks"]) == 0
    assert '"planted": 0' in capsys.readouterr().out
    assert (tmp_path / JOURNAL_NAME).exists()
