"""Every fault of market data, as it is heard on lines, books, single ticks, bars and greeks."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from functools import cache

import pytest
from scripted_session import SPY_CONID
from stepped_client import Stepped, stepped

from simulation.gateway import GatewayPlan, build_world
from simulation.market.world import World
from simulation.tws.fields import UNSET_DOUBLE
from simulation.tws.options import GatewayOptions

SESSION = date(2026, 11, 13)
# The world moves with the steps only: what a fault tells is told in the next one, and never before it.
OPTIONS = GatewayOptions(market_data_lines=3_000, messages_per_second=100_000, pump_s=3_600)
PLAN = GatewayPlan(session=SESSION, sessions=1, speed=None, orders=0, options=OPTIONS)
SPY, QQQ = (
    [conid, symbol, "STK", "", "0", "", "", "SMART", "", "USD", "", ""]
    for conid, symbol in ((SPY_CONID, "SPY"), (320227571, "QQQ"))
)
LINE, OTHER, OPTION, BOOK, TRADES, QUOTES, BARS = range(1, 8)
EVERYTHING = {"1", "2", "46", "13", "99", "50"}
Scenario = Callable[[Stepped], Awaitable[None]]


@pytest.fixture(autouse=True)
def one_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """A world is never changed by who lives in it: one is drawn for all tests of this page."""
    monkeypatch.setattr("simulation.gateway.build_world", _world)


@cache
def _world(plan: GatewayPlan) -> World:
    return build_world(plan)


def play(scenario: Scenario) -> None:
    """A client with one subscription of each kind, ten minutes after the opening."""

    async def run() -> None:
        async with stepped(PLAN) as client:
            client.keeps_all, client.hears_errors = True, True
            await client.step(660)
            client.subscribe(LINE, SPY, "233")
            client.subscribe(OTHER, QQQ, "233")
            client.subscribe(OPTION, _option(client), "101")
            client.raw.send("10", "5", BOOK, *SPY, "5", "1", "")
            client.raw.send("97", TRADES, *SPY, "AllLast", "0", "0")
            client.raw.send("97", QUOTES, *SPY, "BidAsk", "0", "0")
            client.raw.send("50", "3", BARS, *SPY, "5", "TRADES", "0", "")
            await client.barrier()
            await heard(client)
            await scenario(client)

    asyncio.run(run())


def _option(client: Stepped) -> list[object]:
    world = client.gateway.world
    share = world.listings.by_conid[SPY_CONID]
    assert share.underlying is not None
    spot = world.market.spot_cents(share.underlying, SESSION, 1)
    series = [each for each in world.listings.by_conid.values() if each.underlying == share.underlying]
    calls = [
        each for each in series if each.right == "C" and each.expiry is not None and each.expiry > SESSION
    ]
    near = min(calls, key=lambda each: (abs(each.strike_cents - spot), each.symbol))
    return [near.conid, "SPY", "OPT", "", "0", "", "", "SMART", "", "USD", "", ""]


async def heard(client: Stepped, seconds: float = 20) -> list[list[str]]:
    """What a while of the market tells."""
    client.messages.clear()
    await client.step(seconds, each=1)
    return list(client.messages)


async def do(client: Stepped, words: str) -> list[list[str]]:
    """A fault, and what it tells by itself."""
    client.messages.clear()
    answer = await client.ask({"do": words})
    assert answer["ok"], answer
    await client.barrier()
    return list(client.messages)


def kinds(messages: list[list[str]], request_id: int | None = None) -> set[str]:
    """Kinds of messages, of one request or of all."""
    places = {"99": 1, "21": 1, "50": 2}
    return {
        each[0] for each in messages if request_id is None or each[places.get(each[0], 2)] == str(request_id)
    }


def codes(messages: list[list[str]]) -> list[str]:
    """Codes of notices and errors."""
    return [each[3] for each in messages if each[0] == "4"]


def test_all_is_told_without_a_fault() -> None:
    """The scenario below would notice: every kind of market data is heard within the while."""

    async def scenario(client: Stepped) -> None:
        messages = await heard(client)
        assert kinds(messages) >= EVERYTHING
        assert kinds(messages, OPTION) >= {"1", "21"}

    play(scenario)


@pytest.mark.parametrize(
    ("words", "notice", "end"), [("silence market", [], []), ("break data farm", ["2103"], ["2104"])]
)
def test_a_silent_market_tells_nothing_and_what_was_missed_is_never_told(
    words: str, notice: list[str], end: list[str]
) -> None:
    """No tick of any kind; afterwards all go on, and the total volume of the next trade jumps."""

    async def scenario(client: Stepped) -> None:
        assert codes(await do(client, words)) == notice
        last_total = client.lines[LINE].trades[-1][3]
        assert kinds(await heard(client)) == set()
        assert codes(await do(client, "clear faults")) == end
        assert kinds(await heard(client)) >= EVERYTHING
        following = next(trade for trade in client.lines[LINE].trades if trade[3] > last_total)
        assert following[3] - following[1] > last_total

    play(scenario)


def test_one_symbol_falls_silent_while_others_go_on() -> None:
    """A stale line among live ones."""

    async def scenario(client: Stepped) -> None:
        await do(client, "silence SPY")
        messages = await heard(client)
        assert kinds(messages, OTHER) >= {"1", "2", "46"}
        assert kinds(messages) - kinds(messages, OTHER) == set()
        await do(client, "clear faults")
        assert kinds(await heard(client)) >= EVERYTHING

    play(scenario)


def test_crossed_quotes_are_crossed_on_lines_books_and_single_ticks() -> None:
    """Bid above ask wherever both are told; and right again afterwards."""

    async def scenario(client: Stepped) -> None:
        for words, is_crossed in (("cross quotes", True), ("clear faults", False)):
            await do(client, words)
            messages = await heard(client)
            for line in (LINE, OPTION):
                values = client.lines[line].values
                assert (values["bid"] > values["ask"]) is is_crossed
            ticks = [each for each in messages if each[0] == "99" and each[2] == "3"]
            assert ticks and {float(each[4]) > float(each[5]) for each in ticks} == {is_crossed}
            best = {each[6]: float(each[7]) for each in messages if each[0] == "13" and each[3] == "0"}
            assert (best["1"] > best["0"]) is is_crossed

    play(scenario)


@pytest.mark.parametrize(
    ("word", "told"), [("nan", "NaN"), ("unset", UNSET_DOUBLE), ("-1", "-1"), ("0", "0"), ("1e400", "1e400")]
)
def test_prices_are_told_in_words_that_are_no_prices(word: str, told: str) -> None:
    """Lines, books, single ticks and bars; sizes and times stay; then every line is told right again."""

    async def scenario(client: Stepped) -> None:
        await do(client, f"tell prices as {word}")
        messages = await heard(client)
        assert kinds(messages) >= EVERYTHING
        assert {text for each in messages for text in _prices(each)} == {told}
        await do(client, "clear faults")
        for line in client.lines.values():
            line.values.clear()
        messages = await heard(client)
        assert all(line.values["bid"] > 0 for line in client.lines.values())
        prices = [float(text) for each in messages for text in _prices(each)]
        assert prices and min(prices) > 0

    play(scenario)


def _prices(message: list[str]) -> list[str]:
    """The prices in a message, by the API's description of it."""
    if message[0] == "99":
        return message[4:6] if message[2] == "3" else message[4:5]
    where = {"1": (4, 5), "13": (7, 8), "50": (4, 8)}.get(message[0])
    deleted = message[0] == "13" and message[5] == "2"
    return message[slice(*where)] if where is not None and not deleted else []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("withhold greeks", {"-1", "-2"}),
        ("tell greeks as unset", {UNSET_DOUBLE}),
        ("tell greeks as nan", {"NaN"}),
    ],
)
def test_greeks_are_missing_or_no_numbers(words: str, told: set[str]) -> None:
    """All four of the option's, and back again."""

    async def scenario(client: Stepped) -> None:
        await do(client, words)
        rows = [each for each in await heard(client) if each[0] == "21"]
        assert {each[2] for each in rows} >= {"10", "11", "13"}
        assert {text for each in rows for text in each[4:]} == told
        await do(client, "clear faults")
        rows = [each for each in await heard(client) if each[0] == "21"]
        assert rows and not {text for each in rows for text in each[4:]} & {UNSET_DOUBLE, "NaN"}

    play(scenario)


def test_a_reset_book_is_told_anew_and_a_broken_one_is_noticed() -> None:
    """317 and every level as inserted; a change of a level that is none; a change that never came."""

    async def scenario(client: Stepped) -> None:
        assert codes(await do(client, "reset depth")) == ["317"]
        rows = [each for each in await heard(client, 1) if each[0] == "13"]
        assert {(each[3], each[6]) for each in rows if each[5] == "0"} == {
            (str(place), side) for place in range(5) for side in ("0", "1")
        }
        (broken,) = await do(client, "break depth")
        assert broken[0] == "13" and int(broken[3]) >= 5 and broken[5] == "1"
        await do(client, "lose depth 3")
        await do(client, "reset depth")
        rows = [each for each in await heard(client, 1) if each[0] == "13"]
        assert len([each for each in rows if each[5] == "0"]) == 10 - 3

    play(scenario)


def test_a_broken_history_farm_refuses_bars_and_says_when_it_is_mended() -> None:
    """2105, 162 for what is asked meanwhile, 2106; then there are bars."""

    async def scenario(client: Stepped) -> None:
        assert codes(await do(client, "break history farm")) == ["2105"]
        assert codes(await _bars_asked(client, 90)) == ["162"]
        assert codes(await do(client, "clear faults")) == ["2106"]
        assert kinds(await _bars_asked(client, 91)) == {"17"}

    play(scenario)


async def _bars_asked(client: Stepped, request_id: int) -> list[list[str]]:
    client.messages.clear()
    asked = ["", "1 min", "600 S", "1", "TRADES", "1", "0", ""]
    client.raw.send("20", request_id, *SPY, "0", *asked)
    await client.barrier()
    return list(client.messages)


@pytest.mark.parametrize(
    ("words", "expected"), [("notice 2110", ["2110"]), ("notice 10197", ["10197"]), ("halt SPY", [])]
)
def test_notices_and_halts(words: str, expected: list[str]) -> None:
    """A code goes to everybody; a halt is tick 49 of the share and its option, and ends."""

    async def scenario(client: Stepped) -> None:
        at_once = await do(client, words)  # a line may be looked at before the clock is stepped
        assert codes(at_once) == expected
        halted = [each[2:] for each in (*at_once, *await heard(client, 2)) if each[0] == "45"]
        wanted = [[str(LINE), "49", "1.0"], [str(OPTION), "49", "1.0"]] if words == "halt SPY" else []
        assert halted == wanted
        at_once = await do(client, "clear faults")
        halted = [each[4] for each in (*at_once, *await heard(client, 2)) if each[0] == "45"]
        assert halted == ["0.0"] * len(wanted)

    play(scenario)


def test_lost_data_must_be_asked_for_again() -> None:
    """1101 ends every line, book, tick and bar; asked for again under the same numbers they are whole."""

    async def scenario(client: Stepped) -> None:
        assert codes(await do(client, "lose broker")) == ["1100"]
        assert kinds(await heard(client)) == set()
        assert codes(await do(client, "find broker data lost")) == ["1101"]
        assert kinds(await heard(client)) == set()
        client.subscribe(LINE, SPY, "233")
        client.raw.send("10", "5", BOOK, *SPY, "5", "1", "")
        await client.barrier()
        messages = await heard(client)
        assert kinds(messages) == {"1", "2", "46", "13"}

    play(scenario)


def test_delayed_data_have_types_of_their_own() -> None:
    """10167, data type 3, and ticks from 66 on: prices, sizes, volume, greeks."""

    async def scenario(client: Stepped) -> None:
        await do(client, "delayed data")
        client.messages.clear()
        client.raw.send("59", "1", "3")
        client.raw.send("1", "11", 50, *SPY, "0", "", "0", "0", "")
        client.raw.send("1", "11", 51, *_option(client), "0", "101", "0", "0", "")
        await client.barrier()
        messages = list(client.messages)
        assert codes(messages) == ["10167", "10167"]
        assert {each[3] for each in messages if each[0] == "58"} == {"3"}
        ticks = {int(each[3]) for each in messages if each[0] in ("1", "2") and each[2] == "50"}
        assert ticks == {66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76}
        assert {each[2] for each in messages if each[0] == "21"} == {"80", "81", "82", "83"}

    play(scenario)


def test_a_skewed_clock_is_told_and_the_market_keeps_its_own() -> None:
    """The answer to a question for the time is off; a trade's time is the market's."""

    async def scenario(client: Stepped) -> None:
        await do(client, "skew clock 45 s")
        client.raw.send("49", "1")
        while (message := await client.raw.next())[0] != "49":
            pass
        now = client.gateway.clock.now()
        assert int(message[2]) == int(now.timestamp()) + 45
        await heard(client)
        newest = client.lines[LINE].trades[-1][2] / 1000
        assert 0 <= client.gateway.clock.now().timestamp() - newest < 20

    play(scenario)


def test_a_half_open_link_tells_nothing_and_stays() -> None:
    """The world goes on, the socket stays, no byte comes; when it is over the market is heard again."""

    async def scenario(client: Stepped) -> None:
        client.messages.clear()
        assert (await client.ask({"do": "half-open link"}))["ok"]
        answer = await client.ask({"step": 20, "each": 1})
        assert answer["ok"]
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.raw.reader.read(1), 0.2)
        assert (await client.ask({"do": "clear faults"}))["ok"]
        assert kinds(await heard(client)) >= EVERYTHING

    play(scenario)
