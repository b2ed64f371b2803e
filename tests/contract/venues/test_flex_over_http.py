"""The Flex Web Service client against a server on loopback that says what the real one says."""

import logging
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from flex_documents import confirm, confirmations, document, section, statement, trade

from adapters.ibkr.flex_codes import CODES, Advice, meaning_of
from adapters.ibkr.flex_web import FlexWebService
from adapters.venue.asking import Pace
from simulation.http import flex as flex_stub
from simulation.http.flex import GET_PATH, SEND_PATH, FlexStub, error, serve_flex, success
from simulation.http.server import Answer, Fault
from trading.errors import ConfigurationError
from trading.ports.statement_source import (
    StatementQuery,
    StatementRefusedError,
    StatementUnavailableError,
)
from trading.settings import FlexSettings

TOKEN = "998877665544332211009988"
ACTIVITY_ID, CONFIRMATION_ID = "744001", "744002"
ACTIVITY = document(
    statement(section("Trades", trade()), accountId="U1", fromDate="20260925", toDate="20260925"),
    statement(section("Trades"), accountId="U2", fromDate="20260924", toDate="20260928"),
)
CONFIRMATION = confirmations(confirm())


@pytest.fixture
def stub() -> Iterator[FlexStub]:
    with serve_flex({ACTIVITY_ID: ACTIVITY, CONFIRMATION_ID: CONFIRMATION}, token=TOKEN) as running:
        assert isinstance(running, FlexStub)
        yield running


def client(stub: FlexStub, naps: Any, **changes: Any) -> FlexWebService:
    told: dict[str, Any] = {
        "token": TOKEN,
        "activity_query": ACTIVITY_ID,
        "confirmation_query": CONFIRMATION_ID,
        "base_url": stub.base_url,
        "hosts": "flex.example",
        "request_interval_ms": 6000,
        "attempts_max": 3,
        "polls_max": 4,
        "backoff_first_ms": 1000,
        "connect_timeout_s": 5,
        "answer_timeout_s": 5,
        "statement_bytes_max": 1_000_000,
    }
    settings = FlexSettings(**{**told, **changes})
    return FlexWebService(settings, sleep=naps, chance=random.Random(7), pace=Pace(0.0))


def paths(stub: FlexStub) -> list[str]:
    return [request.path for request in stub.journal]


def test_a_statement_comes_whole_in_two_steps(stub: FlexStub, naps: Any) -> None:
    """Asked by query id, fetched by reference; both requests carry token, version and a user agent."""
    found = client(stub, naps).fetch(StatementQuery.ACTIVITY)
    assert found.content == ACTIVITY
    assert (found.accounts, found.from_date, found.to_date) == (
        ("U1", "U2"), date(2026, 9, 24), date(2026, 9, 25),
    )  # fmt: skip
    assert found.generated_at == datetime(2026, 9, 28, 23, 41, 13, tzinfo=UTC)
    assert paths(stub) == [SEND_PATH, GET_PATH]
    assert [request.params["q"] for request in stub.journal] == [ACTIVITY_ID, *stub.references]
    assert {request.params["v"] for request in stub.journal} == {"3"}
    assert all(request.headers["user-agent"] for request in stub.journal)
    assert naps.taken == []


def test_a_period_broken_out_by_day_ends_where_its_last_day_does(stub: FlexStub, naps: Any) -> None:
    """A statement for each account and day: the file reaches as far as the account that lags behind."""
    days = [
        ("U1", "20260924"),
        ("U1", "20260925"),
        ("U2", "20260924"),
        ("U2", "20260925"),
        ("U1", "20260928"),
    ]
    parts = [document(statement(accountId=who, fromDate=day, toDate=day)) for who, day in days]
    stub.statements[ACTIVITY_ID] = flex_stub.one_answer(parts)
    found = client(stub, naps).fetch(StatementQuery.ACTIVITY)
    assert (found.accounts, found.from_date, found.to_date) == (
        ("U1", "U2"), date(2026, 9, 24), date(2026, 9, 25),
    )  # fmt: skip


def test_a_folder_answers_with_what_lies_in_it(tmp_path: Path, naps: Any) -> None:
    """Files of several accounts are one answer; a query without files is not available yet."""
    with serve_flex(tmp_path, token=TOKEN) as stub:
        assert isinstance(stub, FlexStub)
        source = client(stub, naps, activity_query="activity", confirmation_query="confirmation")
        with pytest.raises(StatementUnavailableError, match="code 1003"):
            source.fetch(StatementQuery.ACTIVITY)
        (tmp_path / "activity").mkdir()
        for account in ("U1", "U2"):
            content = document(statement(section("Trades", trade(accountId=account)), accountId=account))
            (tmp_path / "activity" / f"{account}.xml").write_bytes(content)
        assert source.fetch(StatementQuery.ACTIVITY).accounts == ("U1", "U2")


def test_each_query_has_its_own_id(stub: FlexStub, naps: Any) -> None:
    """The confirmation is asked by its id and is read as one."""
    found = client(stub, naps).fetch(StatementQuery.CONFIRMATION)
    assert (found.query, found.content) == (StatementQuery.CONFIRMATION, CONFIRMATION)


def test_a_statement_in_the_making_is_asked_for_again(stub: FlexStub, naps: Any) -> None:
    """Same reference, growing pauses with jitter, no second statement is ordered."""
    stub.polls = 3
    assert client(stub, naps).fetch(StatementQuery.ACTIVITY).content == ACTIVITY
    assert paths(stub) == [SEND_PATH, *[GET_PATH] * 4]
    assert [0.5 * 2**place <= nap <= 2**place for place, nap in enumerate(naps.taken)] == [True] * 3


def test_a_statement_that_is_never_made_ends_at_the_bound(stub: FlexStub, naps: Any) -> None:
    """After polls_max questions it is unavailable, and the code is named."""
    stub.polls = 99
    with pytest.raises(StatementUnavailableError, match=r"nothing in 4 tries, last code 1019"):
        client(stub, naps).fetch(StatementQuery.ACTIVITY)
    assert paths(stub).count(GET_PATH) == 4


@pytest.mark.parametrize("code", [1001, 1003, 1009, 1018, 1021])
@pytest.mark.parametrize("step", [SEND_PATH, GET_PATH])
def test_what_may_go_away_is_tried_again_in_either_step(
    stub: FlexStub, naps: Any, code: int, step: str
) -> None:
    """Throttled, overloaded, not ready: once is no error."""
    told = [Fault(answer=error(code))] if step == SEND_PATH else [Fault(), Fault(answer=error(code))]
    stub.faults.extend(told)
    assert client(stub, naps).fetch(StatementQuery.ACTIVITY).content == ACTIVITY
    assert paths(stub).count(step) == 2
    assert len(naps.taken) == 1


def test_what_does_not_go_away_ends_at_the_bound(stub: FlexStub, naps: Any) -> None:
    """attempts_max failures of one step, then unavailable: the next pass asks anew."""
    stub.faults.extend(Fault(answer=error(1018)) for _ in range(9))
    with pytest.raises(StatementUnavailableError, match=r"SendRequest: nothing in 3 tries, last code 1018"):
        client(stub, naps).fetch(StatementQuery.ACTIVITY)
    assert len(stub.journal) == 3


@pytest.mark.parametrize("code", [1012, 1013, 1014, 1015, 1017, 1020])
def test_what_only_a_person_can_mend_is_asked_once(stub: FlexStub, naps: Any, code: int) -> None:
    """Expired token, wrong address, wrong query: refused at once, with the code and what to do."""
    stub.faults.append(Fault(answer=error(code)))
    with pytest.raises(StatementRefusedError, match=rf"code {code}, .*; "):
        client(stub, naps).fetch(StatementQuery.ACTIVITY)
    assert len(stub.journal) == 1


def test_every_code_of_the_brokers_table_is_known() -> None:
    """21 numbers, 1002 is not given out; a number that is not there is final."""
    assert sorted(CODES) == [1001, *range(1003, 1022)]
    again = {code for code, meaning in CODES.items() if meaning.advice is Advice.AGAIN}
    assert again == {1001, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1018, 1021}
    assert meaning_of(1019).advice is Advice.POLL
    assert meaning_of(4711).advice is Advice.FINAL


def test_a_wrong_token_and_an_unknown_query_are_refused_by_the_server(stub: FlexStub, naps: Any) -> None:
    """The stub checks them as the real one does."""
    with pytest.raises(StatementRefusedError, match="code 1015, the token is invalid"):
        client(stub, naps, token="1").fetch(StatementQuery.ACTIVITY)
    with pytest.raises(StatementRefusedError, match="code 1014, the query is invalid"):
        client(stub, naps, activity_query="7").fetch(StatementQuery.ACTIVITY)


@pytest.mark.parametrize(
    "broken",
    [
        Fault(drop=True),
        Fault(cut_at_bytes=0),
        Fault(cut_at_bytes=len(ACTIVITY) // 2),
        Fault(cut_at_bytes=len(ACTIVITY) - 1),
        Fault(answer=Answer(b"", 502)),
        Fault(answer=Answer(b"slow down", 429, {"Retry-After": "7"})),
        *(
            Fault(answer=flex_stub.statement(body))
            for body in (
                b"",
                ACTIVITY[:-2],
                ACTIVITY[: len(ACTIVITY) // 2],
                ACTIVITY.replace(b'count="2"', b'count="3"'),
                b"<html><body>Down for maintenance</body></html>",
                b"<FlexStatementResponse><Status>Fail</Status>",
                b"<FlexStatementResponse><Status>Fail</Status></FlexStatementResponse>",
                b'<!DOCTYPE x [<!ENTITY a "b">]><FlexQueryResponse type="AF">&a;</FlexQueryResponse>',
                b'<FlexQueryResponse type="AF"><FlexStatements count="0"/></FlexQueryResponse>',
                b"\x00\xff\xfe garbage",
            )
        ),
    ],
)
def test_a_statement_that_breaks_off_is_no_statement(stub: FlexStub, naps: Any, broken: Fault) -> None:
    """By the connection, by its last element, by its count: it is asked for again, and never handed on."""
    stub.faults.extend([Fault(), broken])
    assert client(stub, naps).fetch(StatementQuery.ACTIVITY).content == ACTIVITY
    assert paths(stub) == [SEND_PATH, GET_PATH, GET_PATH]
    stub.faults.extend([Fault(), broken, broken, broken])
    with pytest.raises(StatementUnavailableError, match="GetStatement: nothing in 3 tries"):
        client(stub, naps).fetch(StatementQuery.ACTIVITY)


@pytest.mark.parametrize(
    "body",
    [
        b"<FlexStatementResponse><Status>Success</Status></FlexStatementResponse>",
        b"<FlexStatementResponse><Status>Success</Status><ReferenceCode>1&amp;t=2</ReferenceCode>"
        b"</FlexStatementResponse>",
        b"<FlexStatementResponse><Status>Succ",
        b"<FlexStatementResponse><ErrorCode>0</ErrorCode></FlexStatementResponse>",
        b"<FlexStatementResponse><ErrorCode>one</ErrorCode></FlexStatementResponse>",
        b"<FlexStatementResponse>" + b"x" * 100_000 + b"</FlexStatementResponse>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><FlexStatementResponse><Status>&a;</Status></FlexStatementResponse>',
        ACTIVITY,
    ],
)
def test_an_envelope_that_is_none_is_asked_for_again(stub: FlexStub, naps: Any, body: bytes) -> None:
    """No reference is guessed out of it."""
    stub.faults.append(Fault(answer=flex_stub.statement(body)))
    assert client(stub, naps).fetch(StatementQuery.ACTIVITY).content == ACTIVITY
    assert paths(stub) == [SEND_PATH, SEND_PATH, GET_PATH]


def test_the_services_own_pause_is_kept(stub: FlexStub, naps: Any) -> None:
    """Retry-After counts instead of our backoff; one that is too long ends the tries."""
    stub.faults.append(Fault(answer=Answer(b"", 503, {"Retry-After": "7"})))
    client(stub, naps).fetch(StatementQuery.ACTIVITY)
    assert naps.taken == [7.0]
    stub.faults.append(Fault(answer=Answer(b"", 503, {"Retry-After": "999"})))
    with pytest.raises(StatementUnavailableError, match="nothing in 1 tries, last status 503"):
        client(stub, naps).fetch(StatementQuery.ACTIVITY)


def test_who_asked_too_often_waits_until_the_minute_is_over(stub: FlexStub, naps: Any) -> None:
    """A try within the same minute would only be counted, too."""
    stub.faults.extend([Fault(answer=error(1018))] * 2)
    assert client(stub, naps).fetch(StatementQuery.ACTIVITY).content == ACTIVITY
    assert naps.taken == [60.0, 60.0]


def test_an_answer_that_does_not_come_is_given_up(stub: FlexStub, naps: Any) -> None:
    """Each try has its time; the service being slow is the service being unavailable."""
    stub.faults.extend(Fault(delay_s=1.5) for _ in range(2))
    with pytest.raises(StatementUnavailableError, match="ReadTimeout"):
        client(stub, naps, answer_timeout_s=1, attempts_max=2).fetch(StatementQuery.ACTIVITY)


def test_an_answer_that_drips_is_given_up(stub: FlexStub, naps: Any) -> None:
    """However its bytes arrive, a body has to be there within its time."""
    asked = client(stub, naps)
    moments = iter(range(0, 100_000, 700))
    asked.monotonic = lambda: float(next(moments))
    with pytest.raises(StatementUnavailableError, match=r"expected a whole answer within 600.0 s"):
        asked.fetch(StatementQuery.ACTIVITY)


def test_a_statement_of_more_bytes_than_allowed_is_refused(stub: FlexStub, naps: Any) -> None:
    """Reading stops at the bound; the message names the setting."""
    with pytest.raises(StatementRefusedError, match=r"at most 500 bytes .statement_bytes_max"):
        client(stub, naps, statement_bytes_max=500).fetch(StatementQuery.ACTIVITY)


def test_the_other_querys_statement_is_refused_by_name(stub: FlexStub, naps: Any) -> None:
    """Ids that were taken for one another are a person's mistake: the variable is named."""
    with pytest.raises(StatementRefusedError, match="IBKR_FLEX_ACTIVITY_QUERY is the id of another query"):
        client(stub, naps, activity_query=CONFIRMATION_ID).fetch(StatementQuery.ACTIVITY)
    assert paths(stub) == [SEND_PATH, GET_PATH]


@pytest.mark.parametrize(
    "url",
    [
        "http://gdcdyn.example/GetStatement",
        "https://evil.example/GetStatement",
        "https://flex.example@evil.example/GetStatement",
        "https://token:x@flex.example/GetStatement",
        "http://127.0.0.1:1/GetStatement",
        "ftp://flex.example/GetStatement",
        "//flex.example/GetStatement",
        "https://[::1/GetStatement",
        "file:///etc/passwd",
    ],
)
def test_the_token_goes_to_no_address_that_an_answer_makes_up(stub: FlexStub, naps: Any, url: str) -> None:
    """Only https to hosts of the settings, or the loopback address that is configured."""
    stub.faults.append(Fault(answer=success("123", url)))
    with pytest.raises(StatementRefusedError, match="names an address that is"):
        client(stub, naps).fetch(StatementQuery.ACTIVITY)
    assert len(stub.journal) == 1


@pytest.mark.parametrize(
    "base_url",
    [
        "http://flex.example/x",
        "https://evil.example/x",
        "http://10.0.0.1:80/x",
        "flex.example",
        "http://[::1/x",
    ],
)
def test_a_base_address_that_would_show_the_token_is_refused(
    stub: FlexStub, naps: Any, base_url: str
) -> None:
    """A setting that is wrong is told before anything is sent."""
    with pytest.raises(ConfigurationError, match=r"flex\.base_url: expected https"):
        client(stub, naps, base_url=base_url)


def test_a_redirect_is_not_followed(stub: FlexStub, naps: Any) -> None:
    """Wherever it points, the token does not go there."""
    stub.faults.append(Fault(answer=Answer(b"", 302, {"Location": stub.url + "/elsewhere"})))
    with pytest.raises(StatementRefusedError, match="no redirect is followed"):
        client(stub, naps).fetch(StatementQuery.ACTIVITY)
    assert paths(stub) == [SEND_PATH]


@pytest.mark.parametrize("lacking", ["token", "activity_query"])
def test_without_token_or_query_nothing_is_asked(stub: FlexStub, naps: Any, lacking: str) -> None:
    """What is missing is known before, and a fetch all the same names the variables."""
    source = client(stub, naps, **{lacking: None})
    assert StatementQuery.ACTIVITY not in source.configured()
    with pytest.raises(ConfigurationError, match="IBKR_FLEX_TOKEN and IBKR_FLEX_ACTIVITY_QUERY"):
        source.fetch(StatementQuery.ACTIVITY)
    assert not stub.journal


ECHO = "<FlexStatementResponse><Status>Fail</Status><ErrorCode>{}</ErrorCode><ErrorMessage>{}</ErrorMessage>"


@pytest.mark.parametrize(
    "faults",
    [
        [Fault(drop=True)] * 3,
        [Fault(cut_at_bytes=3)] * 3,
        [Fault(answer=error(1012))],
        [Fault(answer=Answer(b"", 404))],
        [Fault(answer=Answer(b"", 302, {"Location": f"https://flex.example/?t={TOKEN}"}))],
        [Fault(answer=success("1", f"https://evil.example/?t={TOKEN}"))],
        [Fault(answer=success("1", f"https://[{TOKEN}/"))],
        [Fault(answer=flex_stub.statement(f"<{TOKEN}/>".encode()))] * 3,
        [Fault(answer=flex_stub.statement(f"<t{TOKEN}/>".encode()))] * 3,
        [
            Fault(
                answer=flex_stub.statement(
                    (ECHO.format(1018, f"{TOKEN} {ACTIVITY_ID}") + "</FlexStatementResponse>").encode()
                )
            )
        ]
        * 3,
        [Fault(answer=flex_stub.statement((ECHO.format(1012, TOKEN) + "</FlexStatementResponse>").encode()))],
        [Fault(answer=flex_stub.statement(ECHO.format("x", TOKEN).encode()))] * 3,
        [Fault(), *[Fault(answer=flex_stub.statement(f'<FlexQueryResponse type="{TOKEN}"/>'.encode()))] * 3],
        [Fault(), Fault(answer=flex_stub.statement(ACTIVITY.replace(b'"AF"', f'"{TOKEN}"'.encode())))],
        [Fault(), *[Fault(answer=flex_stub.statement(ACTIVITY.replace(b"20260925", TOKEN.encode())))] * 3],
        [Fault(), *[Fault(answer=flex_stub.statement(ACTIVITY.replace(b"</", f"{TOKEN}<".encode())))] * 3],
        [],
    ],
)
def test_no_error_and_no_log_line_carries_the_token(
    stub: FlexStub, naps: Any, caplog: pytest.LogCaptureFixture, faults: list[Fault]
) -> None:
    """Not in the words, the cause, the context or the repr, whatever the service sends back, at any level."""
    stub.faults.extend(faults)
    service = client(stub, naps)
    error_of: BaseException | None = None
    with caplog.at_level(logging.DEBUG):
        try:
            service.fetch(StatementQuery.ACTIVITY)
        except (StatementRefusedError, StatementUnavailableError) as caught:
            error_of = caught
    assert (error_of is None) == (not faults)
    shown = [repr(service), caplog.text, *(str(record.__dict__) for record in caplog.records)]
    while error_of is not None:
        shown += [str(error_of), repr(error_of)]
        error_of = error_of.__cause__ or error_of.__context__
    assert [text for text in shown if TOKEN in text or ACTIVITY_ID in text] == []
    assert len(stub.journal) > 0


def test_every_request_waits_for_its_turn(stub: FlexStub, naps: Any) -> None:
    """Ten a minute for each token: the setting's interval lies between any two requests."""
    stub.polls = 2
    service = client(stub, naps)
    turns: list[float] = []
    service.pace = Pace(6.0, sleep=turns.append, monotonic=lambda: 100.0)
    service.fetch(StatementQuery.ACTIVITY)
    assert turns == [6.0, 12.0, 18.0]
    default = FlexWebService(service.settings).pace
    assert default is not None and default.interval_s == 6.0
