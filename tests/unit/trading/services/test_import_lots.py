"""Opening lots: taken from a statement's lots, once, and only where no known fill opened them."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from flex_documents import POSITION, activity, document, row, section, statement, trade

from adapters.ibkr.flex import parse_flex
from adapters.memory.fill_store import MemoryFillStore
from adapters.memory.statement_store import MemoryStatementStore
from trading.errors import InvalidFieldError
from trading.model.statements import BrokerStatement
from trading.services.import_lots import import_lots, lots_from_statement

RECEIVED = datetime(2026, 7, 1, tzinfo=UTC)


def held(*rows: dict[str, str], to_date: str = "20260630") -> BrokerStatement:
    positions = [row("OpenPosition", {**POSITION, "reportDate": to_date, **changes}) for changes in rows]
    (told,) = parse_flex(
        document(statement(section("OpenPositions", *positions), toDate=to_date)), "held.xml"
    )
    assert told.batch.rejected == ()
    return told


def test_lots_are_taken_and_their_summary_is_not() -> None:
    """Two lots and the summary of both are two lots, with quantity, basis and opening time."""
    told = held({}, {"position": "3", "costBasisMoney": "200"}, {"position": "5", "levelOfDetail": "SUMMARY"})
    lots = lots_from_statement(told)
    assert [(lot.quantity, lot.cost_basis) for lot in lots] == [(2, Decimal("147.3666")), (3, 200)]
    assert lots[0].open_ts == datetime(2026, 7, 17, 16, 4, 40, tzinfo=UTC)
    assert (lots[0].as_of, lots[0].origin, lots[0].multiplier) == (date(2026, 6, 30), "held.xml", 100)


def test_the_same_file_twice_stores_its_lots_once() -> None:
    """The second import finds them there."""
    store, fills = MemoryStatementStore(), MemoryFillStore()
    (first,) = import_lots([held({})], store, fills)
    (second,) = import_lots([held({})], store, fills)
    assert (first.new, second.new, first.lots) == (1, 0, 1)
    assert len(store.opening_lots(held({}).venue, held({}).account)) == 1


def test_a_position_told_only_as_a_summary_is_named() -> None:
    """What is held and has no lots is left out, and said."""
    (report,) = import_lots(
        [held({}, {"position": "5", "levelOfDetail": "SUMMARY"})], MemoryStatementStore(), MemoryFillStore()
    )
    assert report.left_out == ("OPT:CZR   260821C00030000",)


def test_lots_within_the_time_of_known_fills_are_refused() -> None:
    """A known fill may have opened them; they would count twice."""
    fills = MemoryFillStore()
    (known,) = parse_flex(activity(trade()), "fills.xml")
    fills.record(known.batch, RECEIVED)
    with pytest.raises(InvalidFieldError, match=r"before the first known fill \(2026-07-17\)"):
        import_lots([held({}, to_date="20260717")], MemoryStatementStore(), fills)
    assert import_lots([held({}, to_date="20260716")], MemoryStatementStore(), fills)[0].new == 1


def test_lots_of_two_days_are_refused() -> None:
    """The same holding at two days would count twice."""
    store, fills = MemoryStatementStore(), MemoryFillStore()
    import_lots([held({})], store, fills)
    with pytest.raises(InvalidFieldError, match="2026-06-30, the day of"):
        import_lots([held({}, to_date="20260629")], store, fills)


@pytest.mark.parametrize(
    "changes", [{"levelOfDetail": "SUMMARY"}, {"openDateTime": ""}, {"costBasisMoney": ""}]
)
def test_a_statement_without_usable_lots_is_refused(changes: dict[str, str]) -> None:
    """A lot needs its opening time and its basis."""
    with pytest.raises(InvalidFieldError, match="positions by LOT"):
        import_lots([held(changes)], MemoryStatementStore(), MemoryFillStore())
