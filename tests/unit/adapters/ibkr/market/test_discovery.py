"""What is listed: which questions are asked in which order, and what their answers become."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from adapters.configuration import load_settings
from adapters.ibkr.market.budget import budget_of
from adapters.ibkr.market.discovery import Asked, Discovery, Watched
from adapters.ibkr.market.heard import ChainHeard
from adapters.ibkr.market.lines import KnownContract
from adapters.ibkr.market.requests import ChainAsked, Described
from trading.market_settings import ChainMode, MarketSettings, SymbolSettings
from trading.model.instruments import Option, Right

NOW = datetime(2026, 11, 13, 15, tzinfo=UTC)
SESSION = date(2026, 11, 13)
EXPIRIES = (date(2026, 11, 12), SESSION, date(2026, 11, 20), date(2026, 12, 18))


def discovery(*, expiries: int = 2, each_side: int = 1, symbol: str = "SPX") -> Discovery:
    """Of one symbol that takes turns."""
    wanted = SymbolSettings(
        sector="test", depth=False, tick_by_tick=False, bars=False, chain=ChainMode.SNAPSHOT, has_news=False
    )
    market = MarketSettings(
        symbols={symbol: wanted}, chain_expiries_max=expiries, chain_strikes_each_side=each_side
    )
    budget = budget_of(market, load_settings({}, with_stack=False).ingest)
    found = Discovery(market, budget, timedelta(seconds=20))
    found.begin_session(SESSION)
    return found


def next_asked(found: Discovery, number: int, now: datetime = NOW) -> Asked:
    """Send the symbol's next question under a number."""
    due: list[tuple[Watched, Asked]] = [
        (watched, asked) for watched, asked in found.due(now) if watched.symbol != "VIX1D"
    ]
    ((watched, asked),) = due
    found.sent(number, watched, asked, now)
    return asked


def contract(
    conid: int, strike: int = 0, expiry: date = SESSION, trading_class: str = "SPXW"
) -> KnownContract:
    """The index, or a call on it."""
    option = None
    if strike:
        option = Option(
            symbol="SPX", expiry=expiry, right=Right.CALL, strike=Decimal(strike), multiplier=100,
            trading_class=trading_class, conid=conid,
        )  # fmt: skip
    return KnownContract(
        conid=conid,
        symbol="SPX",
        sec_type="OPT" if strike else "IND",
        exchange="SMART",
        instrument_id=f"X:{conid}",
        option=option,
    )


def test_underlying_then_chain_then_each_of_the_nearest_expiries() -> None:
    """Expired series are left out, all classes of an expiry are in; strikes around the spot are chosen."""
    found = discovery()
    assert next_asked(found, 1) == Described(symbol="SPX", sec_type="IND")
    found.heard_contract(1, contract(416904))
    found.ended(1, NOW)
    assert next_asked(found, 2) == ChainAsked(symbol="SPX", sec_type="IND", conid=416904)
    for exchange in ("SMART", "CBOE"):
        for name, days in (("SPXW", EXPIRIES[:3]), ("SPX", (EXPIRIES[2],))):
            found.heard_chain(2, ChainHeard(exchange=exchange, trading_class=name, expiries=days, strikes=()))
    found.ended(2, NOW)
    asked = []
    for number in (3, 4, 5):
        question = next_asked(found, number)
        assert isinstance(question, Described) and question.sec_type == "OPT"
        asked.append((question.expiry, question.trading_class))
        for place, strike in enumerate((6_700, 6_800, 6_900, 7_000)):
            told = contract(
                1_000 * number + place, strike, question.expiry or SESSION, question.trading_class
            )
            found.heard_contract(number, told)
        found.ended(number, NOW)
    assert asked == [(SESSION, "SPXW"), (EXPIRIES[2], "SPX"), (EXPIRIES[2], "SPXW")]
    assert found.listed("SPX") == 12
    chosen = found.chosen("SPX", Decimal(6_890))
    assert [each.option.strike for each in chosen if each.option] == [6_800, 6_900, 7_000] * 3
    assert not [each for each in found.due(NOW) if each[0].symbol == "SPX"]


def test_nothing_is_chosen_while_the_spot_is_unknown() -> None:
    """Strikes around nowhere are no chain."""
    assert discovery().chosen("SPX", None) == ()


def test_an_answer_that_never_ends_is_asked_for_again_later_and_later() -> None:
    """The pause doubles; a new connection asks at once."""
    found = discovery()
    next_asked(found, 1)
    assert found.expire(NOW + timedelta(seconds=19)) == []
    late = NOW + timedelta(seconds=20)
    assert [watched.symbol for watched, _ in found.expire(late)] == ["SPX"]
    assert not [each for each in found.due(late) if each[0].symbol == "SPX"]
    next_asked(found, 2, late + timedelta(seconds=5))
    found.forget_questions()
    assert [each for each in found.due(late) if each[0].symbol == "SPX"]


def test_an_unknown_share_is_tried_as_an_index_and_then_left_for_the_session() -> None:
    """Code 200 twice; the next session tries again."""
    found = discovery(symbol="XYZ")
    assert next_asked(found, 1) == Described(symbol="XYZ", sec_type="STK")
    found.failed(1, "200: unknown", is_unknown=True, now=NOW)
    assert next_asked(found, 2) == Described(symbol="XYZ", sec_type="IND")
    watched = found.failed(2, "200: unknown", is_unknown=True, now=NOW)
    assert watched is not None and watched.is_given_up and watched.problem == "200: unknown"
    assert not [each for each in found.due(NOW) if each[0].symbol == "XYZ"]
    assert found.begin_session(date(2026, 11, 16))
    assert [each for each in found.due(NOW) if each[0].symbol == "XYZ"]


def test_an_expiry_without_contracts_is_empty_and_hinders_no_other() -> None:
    """Code 200 about one expiry."""
    found = discovery(expiries=1)
    next_asked(found, 1)
    found.heard_contract(1, contract(416904))
    found.ended(1, NOW)
    next_asked(found, 2)
    found.heard_chain(2, ChainHeard(exchange="SMART", trading_class="SPXW", expiries=(SESSION,), strikes=()))
    found.ended(2, NOW)
    next_asked(found, 3)
    found.failed(3, "200: unknown", is_unknown=True, now=NOW)
    assert found.watched["SPX"].is_whole
