"""Chains of past sessions from Alpha Vantage: as of their close, within what the live plan leaves."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
from vendor_desk import NOON, SYMBOL, FixedBook, option_row, stub_and_source

from adapters.alpha_vantage.history import NAME, AlphaVantageHistory
from adapters.alpha_vantage.turns import HistoryTurns, VendorBusyError
from adapters.memory.vendor import MemoryRequestLedger
from simulation.http.alpha_vantage import AlphaVantageStub
from simulation.http.server import Answer, Fault
from simulation.http.vendor_words import refusal
from trading.calendar import session_close
from trading.feeds.limiter import RateLimits
from trading.model.market import ChainSnapshot, MarketKind, RefusedRow
from trading.ports.vendor_source import RefusalKind, VendorRefusedError, VendorUnavailableError

FRIDAY = date(2026, 11, 20)
FRIDAYS_ROW = option_row(date="2026-11-20")


@dataclass(slots=True)
class Desk:
    """A history on a stand-in, with a clock that sleeping moves."""

    stub: AlphaVantageStub
    history: AlphaVantageHistory
    at: datetime = NOON
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        """Time passes."""
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)

    def chains(self, session: date = FRIDAY) -> list[object] | None:
        """A session's rows."""
        rows = self.history.rows(MarketKind.CHAIN, session)
        return None if rows is None else list(rows)


@contextmanager
def desk(
    *symbols: str, per_day: int = 0, day_share: int = 0, book: FixedBook | None = None
) -> Iterator[Desk]:
    """A history of these symbols."""
    told = book or FixedBook(rows={SYMBOL: [FRIDAYS_ROW]})
    with stub_and_source(told) as (stub, source):
        history = AlphaVantageHistory(
            source=source,
            symbols=symbols or (SYMBOL,),
            news_symbols=symbols or (SYMBOL,),
            turns=HistoryTurns(
                vendor="alpha_vantage",
                ledger=MemoryRequestLedger(),
                limits=RateLimits(per_minute=75, per_day=per_day),
                now=lambda: made.at,
                sleep=lambda seconds: made.sleep(seconds),
                day_share=day_share,
            ),
        )
        made = Desk(stub, history)
        yield made


def test_a_chain_of_another_day_is_not_the_sessions() -> None:
    """The newest chain in the answer to a day's question would be stored as that day's."""
    rows = [FRIDAYS_ROW, option_row(date="2026-11-19", contractID="AAPL261218P00250000", type="put")]
    answer = Answer.of({"endpoint": "Historical Options", "message": "success", "data": rows})
    with desk() as there:
        there.stub.faults.append(Fault(answer=answer))
        with pytest.raises(VendorUnavailableError, match=r"rows of 2026-11-20, was \['2026-11-19'\]"):
            there.chains()


def test_a_session_comes_as_of_its_close_under_a_name_of_its_own() -> None:
    """What is loaded is never taken for what was heard."""
    with desk() as there:
        assert there.history.name == NAME
        (chain,) = there.chains() or []
        assert isinstance(chain, ChainSnapshot)
        assert (chain.source, chain.at, len(chain.contracts)) == (NAME, session_close(FRIDAY), 1)
        (request,) = there.stub.journal
        assert request.params["date"] == "2026-11-20"
        assert request.params["function"] == "HISTORICAL_OPTIONS"


def test_only_chains_of_settled_sessions_are_had() -> None:
    """Not other kinds, not the session that is on, not its own evening before it is settled."""
    with desk() as there:
        assert there.history.rows(MarketKind.QUOTE, FRIDAY) is None
        assert there.history.sessions(MarketKind.QUOTE) == ()
        assert there.history.sessions(MarketKind.CHAIN)[-1] == FRIDAY
        assert there.chains(NOON.date()) is None
        there.at = datetime(2026, 11, 24, 6, tzinfo=UTC)
        assert there.history.sessions(MarketKind.CHAIN)[-1] == NOON.date()
        assert len(there.stub.journal) == 0


def test_a_session_of_which_the_vendor_has_nothing_is_none() -> None:
    """Its "no data" is no refusal and no empty chain."""
    with desk(book=FixedBook(rows={SYMBOL: []})) as there:
        assert there.chains() is None
        assert len(there.stub.journal) == 1


def test_a_symbol_that_the_vendor_does_not_know_costs_only_itself() -> None:
    """It is named among the refused, the other's chain is there."""
    with desk("NOPE", SYMBOL) as there:
        refused, chain = there.chains() or []
        assert isinstance(refused, RefusedRow)
        assert (refused.symbol, refused.field) == ("NOPE", "symbol")
        assert isinstance(chain, ChainSnapshot)


def test_a_plan_without_history_has_none_and_a_wrong_key_is_an_error() -> None:
    """The first is how things are; the second must be mended."""
    with desk() as there:
        there.stub.faults.append(Fault(answer=refusal("premium")))
        assert there.chains() is None
        there.stub.faults.append(Fault(answer=refusal("key")))
        with pytest.raises(VendorRefusedError) as raised:
            there.chains()
        assert raised.value.kind is RefusalKind.KEY
        there.stub.faults.append(Fault(answer=Answer(b"", 503)))
        with pytest.raises(VendorUnavailableError):
            there.chains()


def test_it_is_asked_slowly_and_every_question_is_counted() -> None:
    """Three a minute beside a live plan of seventy-five, each in the ledger before it leaves."""
    with desk(SYMBOL, SYMBOL, SYMBOL) as there:
        there.chains()
        assert there.slept == [pytest.approx(16.0)] * 2
        assert sum(there.history.turns.ledger.spent("alpha_vantage", NOON).values()) == 3


def test_a_day_that_is_spent_is_for_another_time() -> None:
    """The live polling has asked for all that the plan allows: nothing leaves."""
    with desk(per_day=5) as there:
        for _ in range(5):
            there.history.turns.ledger.spend("alpha_vantage", NOON - timedelta(hours=1))
        with pytest.raises(VendorBusyError, match="day's requests"):
            there.chains()
        assert len(there.stub.journal) == 0
