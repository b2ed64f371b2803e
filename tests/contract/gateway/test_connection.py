"""Connecting, and everything that goes wrong with a connection, heard by the real client library."""

import asyncio
import time
from typing import Any

import pytest
from gateway_client import LIBRARY_NAME, RawClient, connected, framed_text, gateway, library, run, until
from small_broker import ACCOUNT, SHARE, SmallBroker, hand_clock

from simulation.tws.framing import framed
from simulation.tws.server import GatewayServer
from simulation.tws.versions import SUPPORTED

ACCOUNTS = (ACCOUNT, "DU7654321")


def errors_of(ib: Any) -> list[tuple[int, int]]:
    """The codes a client hears, with their request ids."""
    heard: list[tuple[int, int]] = []
    ib.errorEvent += lambda request_id, code, *_: heard.append((request_id, code))
    return heard


@pytest.mark.parametrize("version", SUPPORTED)
def test_the_library_connects_at_every_server_version(version: int) -> None:
    """Handshake, accounts, ids, account values and executions: all answers come, none times out."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS, server_version=version) as server:
            ib = await connected(server.port)
            assert ib.client.serverVersion() == version
            assert ib.managedAccounts() == list(ACCOUNTS)
            assert {value.account for value in ib.accountValues()} == set(ACCOUNTS)
            ib.disconnect()
            await until(lambda: not list(server.state.clients), "the gateway to notice")

    run(scenario())


@pytest.mark.parametrize(("asked", "spoken"), [("v100..160", 160), ("v157..176", 173), ("v174..180", 173)])
def test_the_version_is_the_lower_of_both_maxima(asked: str, spoken: int) -> None:
    """A client that wants more than the gateway speaks is told what it speaks."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS, server_version=173) as server:
            raw = await RawClient.open(server.port)
            raw.write(b"API\0" + framed_text(asked))
            assert await raw.next() == [str(spoken), "20261113 10:00:00 EST"]
            raw.close()

    run(scenario())


@pytest.mark.parametrize(
    "opening", [b"GET / HTTP/1.1\r\n\r\n", b"API\0" + framed_text("v9..100"), b"API\0" + framed_text("hello")]
)
def test_who_speaks_no_version_of_ours_is_cut_off(opening: bytes) -> None:
    """No handshake, an old range, or nonsense ends the connection and nobody else's."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS) as server:
            raw = await RawClient.open(server.port)
            raw.write(opening)
            while await raw.next():
                pass
            ib = await connected(server.port)
            ib.disconnect()

    run(scenario())


def test_a_second_client_with_the_same_id_hears_326_and_is_closed() -> None:
    """The first one goes on; the second hears code 326 with request id -1."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS) as server:
            ib = await connected(server.port, client_id=7)
            raw = await RawClient.open(server.port)
            raw.write(b"API\0" + framed_text("v157..176"))
            await raw.next()
            raw.send("71", "2", 7, "")
            assert (await raw.next())[:4] == ["4", "2", "-1", "326"]
            assert await raw.next() == []
            assert await ib.reqCurrentTimeAsync()
            ib.disconnect()

    run(scenario())


def test_the_time_told_is_the_simulated_clock_with_its_skew() -> None:
    """A client that compares clocks sees the gateway's, wrong by what it is wrong."""

    async def scenario() -> None:
        clock = hand_clock()
        async with gateway(SmallBroker(), clock, accounts=ACCOUNTS) as server:
            ib = await connected(server.port)
            assert await ib.reqCurrentTimeAsync() == clock.now()
            ib.disconnect()

    run(scenario())


@pytest.mark.parametrize(("chunk_bytes", "hold_writes_s"), [(1, 0.0), (7, 0.0), (0, 0.05)])
def test_messages_split_or_together_are_the_same_messages(chunk_bytes: int, hold_writes_s: float) -> None:
    """One byte at a time, seven at a time, or everything in one segment: the library reads the same."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS) as server:
            server.faults.chunk_bytes = chunk_bytes
            server.faults.hold_writes_s = hold_writes_s
            ib = await connected(server.port)
            (details,) = await ib.reqContractDetailsAsync(library().Contract(conId=SHARE.conid))
            assert details.contract.symbol == "SPY"
            ib.disconnect()

    run(scenario())


def test_a_link_cut_inside_a_message_ends_the_connection_and_a_new_one_works() -> None:
    """The half message is never read as one."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS) as server:
            ib = await connected(server.port)
            gone: list[bool] = []
            ib.disconnectedEvent += lambda: gone.append(True)
            server.drop_links(mid_message=True)
            await until(lambda: gone, "the client to notice")
            again = await connected(server.port)
            again.disconnect()

    run(scenario())


def test_a_half_open_link_is_silence() -> None:
    """Nothing comes, nothing breaks; only the client's own timer notices."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS) as server:
            ib = await connected(server.port)
            silent: list[float] = []
            ib.timeoutEvent += silent.append
            server.faults.half_open = True
            ib.setTimeout(0.2)
            ib.client.reqCurrentTime()
            await until(lambda: silent, "the idle timer")
            assert ib.isConnected()
            server.faults.half_open = False
            ib.disconnect()

    run(scenario())


def test_a_refused_connection_is_refused_until_it_is_allowed() -> None:
    """While the gateway refuses, connecting fails; then it succeeds."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS) as server:
            server.faults.refuse_connections = True
            raw = await RawClient.open(server.port)
            raw.write(b"API\0" + framed_text("v157..176"))
            assert await raw.next() == []
            server.faults.refuse_connections = False
            ib = await connected(server.port)
            ib.disconnect()

    run(scenario())


def test_no_end_of_executions_costs_the_time_out_or_the_connection() -> None:
    """ib_insync cannot connect without it; ib_async waits, logs it and goes on without executions."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS) as server:
            server.faults.omit_executions_end = True
            ib = library().IB()
            connecting = ib.connectAsync("127.0.0.1", server.port, clientId=1, timeout=0.3)
            if LIBRARY_NAME == "ib_insync":
                with pytest.raises(asyncio.TimeoutError):
                    await connecting
            else:
                await connecting
                assert ib.fills() == []
                ib.disconnect()

    run(scenario())


def test_the_next_id_jumps() -> None:
    """A gateway that was used by others hands out a higher id."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS) as server:
            server.faults.next_id_jump = 5_000
            raw = await RawClient.open(server.port)
            raw.write(b"API\0" + framed_text("v157..176"))
            await raw.next()
            raw.send("71", "2", 3, "")
            assert (await raw.until(9))[-1] == ["9", "1", "5001"]
            raw.close()

    run(scenario())


@pytest.mark.parametrize("version", SUPPORTED)
def test_what_cannot_be_read_is_answered_and_nothing_ends(version: int) -> None:
    """An unknown message id, a request cut short and one with a field too many are error 320."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS, server_version=version) as server:
            raw = await RawClient.started(server.port)
            for texts in (("9999", "1", "2"), ("9", "8", "77"), ("49", "1", "surplus"), ("x",)):
                raw.send(*texts)
                answer = await raw.next()
                assert answer[0] == "4", answer
                assert answer[3] == "320", answer
            raw.send("49", "1")
            assert (await raw.next())[0] == "49"
            raw.close()

    run(scenario())


def test_more_than_fifty_messages_a_second_are_error_100_and_then_the_end() -> None:
    """Each violation is told; the third closes the connection."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS) as server:
            raw = await RawClient.started(server.port)
            raw.write(framed(["49", "1"]) * 200)  # in one piece, so that no slow machine stretches it
            codes = []
            while answer := await raw.next():
                codes += [answer[3]] if answer[0] == "4" else []
            assert codes == ["100", "100", "100"]

    run(scenario())


def test_the_gateways_own_stall_is_not_the_clients_hurry() -> None:
    """Fifty before and fifty after a second in which the gateway reads nothing: all are answered."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS) as server:
            raw = await RawClient.started(server.port)
            raw.write(framed(["49", "1"]) * 49)
            time.sleep(1.1)  # nothing of this loop runs, which is the stall
            raw.write(framed(["49", "1"]) * 50)
            assert {(await raw.next())[0] for _ in range(99)} == {"49"}
            raw.close()

    run(scenario())


def test_the_broker_is_lost_and_found_with_its_data_or_without() -> None:
    """After 1101 the subscriptions are gone, after 1102 they go on; what happened meanwhile is told."""

    async def scenario() -> None:
        broker, clock = SmallBroker(), hand_clock()
        async with gateway(broker, clock, accounts=ACCOUNTS) as server:
            ib = await connected(server.port)
            heard = errors_of(ib)
            ib.reqMktData(library().Contract(conId=SHARE.conid))
            await until(lambda: server.state.clients.by_id[7].subscriptions.count("level1"), "the line")
            server.lose_broker()
            trade = ib.placeOrder(
                library().Contract(conId=SHARE.conid, exchange="SMART"), library().MarketOrder("BUY", 1)
            )
            await until(lambda: broker.orders, "the order")
            assert not trade.fills
            server.find_broker(data_lost=False)
            await until(lambda: trade.fills, "the fill")
            assert server.state.clients.by_id[7].subscriptions.count("level1") == 1
            server.lose_broker()
            server.find_broker(data_lost=True)
            assert server.state.clients.by_id[7].subscriptions.count("level1") == 0
            server.notify(2103)
            await until(lambda: (-1, 2103) in heard, "the farm notice")
            assert [code for _, code in heard if code < 2000] == [1100, 1102, 1100, 1101]
            ib.disconnect()

    run(scenario())


def test_a_nightly_restart_drops_everybody_and_listens_on_the_same_port() -> None:
    """Clients that come back find their orders' gateway where it was."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS) as server:
            ib = await connected(server.port)
            port = server.port
            await server.restart()
            await until(lambda: not ib.isConnected(), "the client to notice")
            assert server.port == port
            again = await connected(port)
            again.disconnect()

    run(scenario())


def test_a_moved_port_is_announced_before_the_end() -> None:
    """Code 1300 comes first, then the connection is closed."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS) as server:
            raw = await RawClient.started(server.port)
            server.move_port()
            assert (await raw.next())[3] == "1300"
            assert await raw.next() == []

    run(scenario())


def test_an_unknown_message_from_the_gateway_does_not_end_the_library() -> None:
    """The library logs it and goes on."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS) as server:
            ib = await connected(server.port)
            server.send_raw(["999", "1", "what"])
            assert await ib.reqCurrentTimeAsync()
            ib.disconnect()

    run(scenario())


def test_too_many_clients_are_turned_away() -> None:
    """The limit of clients holds, and who is connected stays so."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS, clients_max=2) as server:
            first = await RawClient.started(server.port, 1)
            second = await RawClient.started(server.port, 2)
            third = await RawClient.open(server.port)
            third.write(b"API\0" + framed_text("v157..176"))
            assert await third.next() == []
            first.send("49", "1")
            assert (await first.next())[0] == "49"
            first.close()
            second.close()

    run(scenario())


def test_a_socket_that_never_says_who_it_is_loses_its_place() -> None:
    """Silent sockets cannot keep others out for long; who has started may be silent for ever."""

    async def scenario() -> None:
        options = {"clients_max": 2, "start_within_s": 1.0}
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS, **options) as server:
            started = await RawClient.started(server.port, 1)
            silent = await RawClient.open(server.port)
            assert await silent.next() == []
            second = await RawClient.started(server.port, 2)
            started.send("49", "1")
            assert (await started.next())[0] == "49"
            started.close()
            second.close()

    run(scenario())


def test_a_broker_that_fails_takes_its_clients_off_the_line() -> None:
    """The failure is kept for whoever runs the gateway, and nobody waits for a dead world."""

    class Broken(SmallBroker):
        is_broken = False

        def advance(self, now: Any) -> list[Any]:
            if self.is_broken:
                raise RuntimeError("out of order")
            return []

    async def scenario() -> None:
        broker = Broken()
        server = GatewayServer(broker, hand_clock(), accounts=ACCOUNTS)
        await server.start()
        raw = await RawClient.started(server.port)
        broker.is_broken = True
        assert await raw.next() == []
        assert str(server.failure) == "out of order"
        await server.stop()

    run(scenario())
