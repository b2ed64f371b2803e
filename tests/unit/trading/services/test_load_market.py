"""Past sessions are loaded from every source that has them, the session that is on from none."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import market_rows as rows
import pytest
from market_desk import ToldClock

from adapters.memory.market_store import MemoryMarketStore
from trading.model.market import MarketKind, MarketRow, RefusedRow
from trading.ports.market_history import MarketHistory
from trading.ports.model_runner import SessionRange
from trading.services.load_market import REASONS_MAX, LeftOut, MarketTools, Standing, load_market

DAY = SessionRange(first=rows.SESSION, last=rows.SESSION)
OVER = ToldClock(rows.CLOSE)
ON = ToldClock(rows.CLOSE - timedelta(microseconds=1))


class BrokenSourceError(Exception):
    """What a source that cannot be read raises."""


@dataclass
class Told(MarketHistory):
    """A source that tells what it is given; it breaks off where it should."""

    source: str
    told: Sequence[MarketRow] = ()
    kind: MarketKind = MarketKind.QUOTE
    breaks: bool = False
    asked: list[date] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its name."""
        return self.source

    def sessions(self, kind: MarketKind) -> Sequence[date]:
        """The one session."""
        return (rows.SESSION,) if kind is self.kind else ()

    def rows(self, kind: MarketKind, session: date) -> Iterator[MarketRow] | None:
        """What it is given, on that session."""
        self.asked.append(session)
        return self._rows() if session in self.sessions(kind) else None

    def files(self, kind: MarketKind, session: date) -> Sequence[str]:
        """One file."""
        return (f"{self.source}.zip",)

    def _rows(self) -> Iterator[MarketRow]:
        yield from self.told
        if self.breaks:
            raise BrokenSourceError


def _refused(reason: str, count: int = 1) -> RefusedRow:
    return RefusedRow(
        symbol="AAPL", feed="f", at=rows.OPEN, field="ms", reason=reason, payload="", rows=count
    )


def _tools(*histories: MarketHistory, clock: ToldClock = OVER) -> MarketTools:
    return MarketTools(histories=histories, store=MemoryMarketStore(), clock=clock)


def test_every_source_is_loaded_under_its_own_name() -> None:
    """Two sources of one session stand beside each other; each is told with its files and rows."""
    one, two = Told("one", [rows.quote()]), Told("two", [rows.quote(), rows.quote(rows.OPEN)])
    (loaded,) = load_market([MarketKind.QUOTE], DAY, _tools(one, two))
    assert loaded.standing is Standing.LOADED
    assert [(load.source, load.files, load.report.new) for load in loaded.loads] == [
        ("one", ("one.zip",), 1),
        ("two", ("two.zip",), 2),
    ]
    assert (loaded.total, loaded.new) == (3, 3)


def test_loading_again_adds_nothing() -> None:
    """The same rows again are repeated, not new."""
    tools = _tools(Told("one", [rows.quote(), rows.quote(rows.OPEN)]))
    load_market([MarketKind.QUOTE], DAY, tools)
    (again,) = load_market([MarketKind.QUOTE], DAY, tools)
    assert (again.total, again.new) == (2, 0)


@pytest.mark.parametrize("kind", [MarketKind.QUOTE, MarketKind.NEWS])
def test_a_session_that_is_on_is_left_to_the_live_capture(kind: MarketKind) -> None:
    """Until the very close no source is even asked."""
    source = Told("one", [rows.quote()])
    (loaded,) = load_market([kind], DAY, _tools(source, clock=ON))
    assert (loaded.standing, loaded.loads, source.asked) == (Standing.LIVE, (), [])


def test_a_range_is_its_sessions() -> None:
    """A weekend is none, a session without a source is told as such, and each is told for itself."""
    friday, tuesday = rows.SESSION - timedelta(days=4), rows.SESSION
    told = load_market(
        [MarketKind.QUOTE], SessionRange(first=friday, last=tuesday), _tools(Told("one", [rows.quote()]))
    )
    assert [loaded.session for loaded in told] == [friday, tuesday - timedelta(days=1), tuesday]
    assert [loaded.standing for loaded in told] == [Standing.UNTOLD, Standing.UNTOLD, Standing.LOADED]


def test_what_is_left_out_is_told_by_reason_and_number() -> None:
    """A refusal may speak for many lines; the store has each refusal, and no such row."""
    told = [
        _refused("outside the session: STK:A", 7),
        rows.quote(),
        _refused("outside the session: STK:B"),
        _refused("price: x"),
    ]
    (loaded,) = load_market([MarketKind.QUOTE], DAY, _tools(Told("one", told)))
    assert loaded.left_out == {"outside the session": 8, "price": 1}
    assert loaded.total == 1
    assert loaded.loads[0].report.refused == 3


def test_reasons_are_bounded() -> None:
    """A broken file with a thousand different reasons is told in fifty-one."""
    left = LeftOut()
    for number in range(1_000):
        left.add(_refused(f"reason {number}: x"))
    assert len(left.rows) == REASONS_MAX + 1
    assert left.total == 1_000


def test_a_source_that_breaks_off_fails_the_load() -> None:
    """Half a session is not stored as a whole one."""
    tools = _tools(Told("one", [rows.quote()], breaks=True))
    with pytest.raises(BrokenSourceError):
        load_market([MarketKind.QUOTE], DAY, tools)
    assert not tools.store.rows(MarketKind.QUOTE)  # type: ignore[attr-defined]
