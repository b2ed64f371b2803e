"""The Alpha Vantage client against its stand-in over real HTTP: words, faults, bounds, where the key goes."""

import logging
from collections.abc import Callable
from datetime import timedelta

import pytest
from vendor_desk import KEY, NOON, SYMBOL, FixedBook, stub_and_source, vendor_settings

from adapters.alpha_vantage.client import AlphaVantageClient
from adapters.alpha_vantage.refusals import kind_of
from adapters.alpha_vantage.source import AlphaVantage
from simulation.http.server import Answer, Fault
from simulation.http.vendor_words import REFUSALS, premium_sample, refusal
from trading.errors import ConfigurationError
from trading.ports.vendor_source import RefusalKind, VendorRefusedError, VendorUnavailableError

MEANT = {
    "minute": RefusalKind.RATE,
    "burst": RefusalKind.RATE,
    "spread": RefusalKind.RATE,
    "note": RefusalKind.RATE,
    "day": RefusalKind.DAILY,
    "key": RefusalKind.KEY,
    "demo": RefusalKind.KEY,
    "premium": RefusalKind.PREMIUM,
    "symbol": RefusalKind.SYMBOL,
    "inputs": RefusalKind.SYMBOL,
}
Ask = Callable[[AlphaVantage], object]
QUESTIONS: dict[str, Ask] = {
    "chain": lambda source: source.chain(SYMBOL, NOON),
    "news": lambda source: source.news(SYMBOL, NOON - timedelta(days=1), NOON),
    "technical": lambda source: source.technical(SYMBOL, "RSI", NOON),
}


def test_every_question_has_its_answer() -> None:
    """Chain, news and the four indicators come over HTTP as typed rows."""
    with stub_and_source() as (stub, source):
        chain = source.chain(SYMBOL, NOON)
        assert chain.snapshot is not None
        assert len(chain.snapshot.contracts) == 3
        assert source.news(SYMBOL, NOON - timedelta(days=1), NOON).items == ()
        for indicator in source.indicators:
            reading = source.technical(SYMBOL, indicator, NOON).reading
            assert reading is not None
            assert (reading.indicator, reading.at) == (indicator, NOON - timedelta(minutes=1))
        assert {request.path for request in stub.journal} == {"/query"}


@pytest.mark.parametrize("words", sorted(REFUSALS))
@pytest.mark.parametrize("question", sorted(QUESTIONS))
def test_words_with_status_200_are_refusals_of_their_kind(words: str, question: str) -> None:
    """Each of the vendor's ways to say no is told apart, whatever was asked, and shows no key."""
    with stub_and_source() as (stub, source):
        stub.faults.append(Fault(answer=refusal(words, KEY)))
        with pytest.raises(VendorRefusedError) as raised:
            QUESTIONS[question](source)
        assert raised.value.kind is MEANT[words]
        assert KEY not in str(raised.value)


def test_words_that_nobody_knows_are_refusals_too() -> None:
    """A sentence in the place of data is never an empty chain."""
    with stub_and_source() as (stub, source):
        stub.faults.append(Fault(answer=Answer.of({"Information": "Our coffee machine is broken."})))
        with pytest.raises(VendorRefusedError) as raised:
            source.chain(SYMBOL, NOON)
        assert raised.value.kind is RefusalKind.OTHER


def test_the_sample_of_a_plan_without_live_options_is_no_chain() -> None:
    """A made-up contract under a message that is not "success" is what the premium refusal looks like."""
    with stub_and_source() as (stub, source):
        stub.faults.append(Fault(answer=premium_sample()))
        with pytest.raises(VendorRefusedError) as raised:
            source.chain(SYMBOL, NOON)
        assert raised.value.kind is RefusalKind.PREMIUM


def test_success_without_rows_is_empty_and_no_error() -> None:
    """The vendor has none: that is an answer."""
    with stub_and_source(FixedBook(rows={SYMBOL: []})) as (_, source):
        read = source.chain(SYMBOL, NOON)
        assert (read.snapshot, read.rows, read.refused) == (None, 0, ())


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault(answer=Answer(b"busy", 500)), "status 500"),
        (Fault(answer=Answer(b"", 503)), "status 503"),
        (Fault(answer=Answer(b"", 429)), "status 429"),
        (Fault(drop=True), "RemoteProtocolError"),
        (Fault(cut_at_bytes=100), "RemoteProtocolError"),
        (Fault(answer=Answer(b'{"data": [{"contractID": "AAPL26')), "JSON"),
        (Fault(answer=Answer(b"<html>maintenance</html>")), "JSON"),
        (Fault(answer=Answer(b"[1, 2]")), "JSON object"),
        (Fault(answer=Answer(b'{"message": "success", "data": {"a": 1}}')), "a list data"),
        (Fault(answer=Answer(b'{"message": "success", "data": "none"}')), "a list data"),
        (Fault(answer=Answer(b"{}")), "a list data"),
        (Fault(answer=Answer(b'{"data": [], "data": []}')), "a list data"),
        (Fault(answer=Answer(b"")), "JSON"),
    ],
)
def test_what_cannot_be_read_is_unavailable_and_the_next_answer_is_good(fault: Fault, told: str) -> None:
    """Broken servers, lines and bodies are transient errors that name what was asked."""
    with stub_and_source() as (stub, source):
        stub.faults.append(fault)
        with pytest.raises(VendorUnavailableError, match=told) as raised:
            source.chain(SYMBOL, NOON)
        assert "REALTIME_OPTIONS AAPL" in str(raised.value)
        assert KEY not in str(raised.value)
        assert source.chain(SYMBOL, NOON).snapshot is not None


def test_a_busy_vendor_says_how_long_to_wait() -> None:
    """Retry-After goes with the error, in seconds or as a date, an hour at most; nonsense in it does not."""
    with stub_and_source() as (stub, source):
        told = [("17", 17.0), ("999999", 3600.0), ("soon", None), ("1e99", None), ("-1", None)]
        for text, wait_s in [*told, ("Fri, 23 Nov 2096 17:00:00 GMT", 3600.0)]:
            stub.faults.append(Fault(answer=Answer(b"", 429, {"Retry-After": text})))
            with pytest.raises(VendorUnavailableError) as raised:
                source.chain(SYMBOL, NOON)
            assert raised.value.wait_s == wait_s


@pytest.mark.parametrize(
    ("status", "kind"), [(401, RefusalKind.KEY), (403, RefusalKind.KEY), (404, RefusalKind.OTHER)]
)
def test_client_errors_are_refusals(status: int, kind: RefusalKind) -> None:
    """The same question would get the same answer; the vendor's words are told, without the key."""
    with stub_and_source() as (stub, source):
        stub.faults.append(Fault(answer=Answer(f"no entry with {KEY}".encode(), status)))
        with pytest.raises(VendorRefusedError, match="no entry with") as raised:
            source.chain(SYMBOL, NOON)
        assert raised.value.kind is kind
        assert KEY not in str(raised.value)


def test_no_redirect_is_followed_with_the_key() -> None:
    """An answer that names another address does not get the key there."""
    with stub_and_source() as (stub, source), stub_and_source() as (other, _):
        stub.faults.append(Fault(answer=Answer(b"", 302, {"Location": f"{other.url}/query"})))
        with pytest.raises(VendorRefusedError, match="redirect"):
            source.chain(SYMBOL, NOON)
        assert len(other.journal) == 0


def test_an_answer_is_bounded_in_bytes() -> None:
    """A body that does not end is left after the configured bytes."""
    with (
        stub_and_source(answer_bytes_max=1_000) as (_, source),
        pytest.raises(VendorUnavailableError, match="answer_bytes_max"),
    ):
        source.chain(SYMBOL, NOON)


def test_a_dripping_answer_is_bounded_in_time() -> None:
    """A body of which every piece comes in time ends at the time of the whole, on an injected clock."""
    with stub_and_source() as (stub, _):
        ticks = iter(range(0, 10_000, 12))
        client = AlphaVantageClient(vendor_settings(stub.url), monotonic=lambda: float(next(ticks)))
        stub.faults.append(Fault(drip_s=0.01, drip_bytes=64))
        with pytest.raises(VendorUnavailableError, match="whole answer within 30 s"):
            AlphaVantage(client).chain(SYMBOL, NOON)
        client.close()


def test_a_silent_vendor_is_left_in_time() -> None:
    """No answer at all is an error after the time-out, which names it."""
    with stub_and_source(answer_timeout_s=1) as (stub, source):
        stub.faults.append(Fault(delay_s=1.5))
        with pytest.raises(VendorUnavailableError, match="ReadTimeout"):
            source.chain(SYMBOL, NOON)


def test_a_vendor_that_is_not_there_is_unavailable() -> None:
    """A refused connection is a transient error without the address's query."""
    with stub_and_source() as (stub, _):
        url = stub.url
    source = AlphaVantage(AlphaVantageClient(vendor_settings(url)))
    with pytest.raises(VendorUnavailableError, match="ConnectError") as raised:
        source.chain(SYMBOL, NOON)
    assert KEY not in str(raised.value)
    source.close()


def test_the_key_is_in_no_log_of_ours_and_none_of_the_library(caplog: pytest.LogCaptureFixture) -> None:
    """At the finest level of every logger, over good answers, refusals that quote the key, and faults."""
    caplog.set_level(logging.DEBUG)
    with stub_and_source() as (stub, source):
        stub.faults.extend(
            [Fault(answer=refusal("day", KEY)), Fault(drop=True), Fault(answer=Answer(b"", 500))]
        )
        errors = []
        for _ in range(4):
            try:
                source.chain(SYMBOL, NOON)
            except (VendorRefusedError, VendorUnavailableError) as error:
                errors.append(error)
    assert len(errors) == 3
    written = [*(record.getMessage() for record in caplog.records), *map(str, errors), *map(repr, errors)]
    quoted = "S3CRET-KEY%2B9%2Fx"
    assert not [text for text in written if KEY in text or quoted in text]
    assert not [error for error in errors if error.__cause__ is not None or error.__context__ is not None]


def test_the_settings_show_no_key() -> None:
    """A tree that is printed says nothing of it."""
    assert KEY not in repr(vendor_settings("http://127.0.0.1:1"))


@pytest.mark.parametrize(
    "url",
    [
        "http://www.alphavantage.co",
        "ftp://127.0.0.1",
        "https://user:pass@host",
        "http://127.0.0.1.evil.example",
    ],
)
def test_the_key_goes_by_https_or_stays_on_this_machine(url: str) -> None:
    """Any other address is refused before anything is asked."""
    with pytest.raises(ConfigurationError, match="alpha_vantage_url") as refusal:
        AlphaVantageClient(vendor_settings(url))
    assert "pass" not in str(refusal.value)


def test_without_a_key_there_is_no_client() -> None:
    """The error names the variable."""
    from dataclasses import replace

    with pytest.raises(ConfigurationError, match="ALPHA_VANTAGE_KEY"):
        AlphaVantageClient(replace(vendor_settings("https://x.example"), alpha_vantage_key=None))


def test_numbers_pass_through_no_float() -> None:
    """A price that no float can hold arrives as it was told, also where it comes as a number."""
    with stub_and_source() as (stub, source):
        row = dict(stub.book.rows[SYMBOL][0])  # type: ignore[attr-defined]
        body = {"message": "success", "data": [{**row, "last": "PRICE"}]}
        text = Answer.of(body).body.replace(b'"PRICE"', b"1234567890.12345678")
        stub.faults.append(Fault(answer=Answer(text)))
        snapshot = source.chain(SYMBOL, NOON).snapshot
        assert snapshot is not None
        assert str(snapshot.contracts[0].last) == "1234567890.12345678"


def test_a_number_finer_than_the_columns_is_rounded_and_costs_no_row() -> None:
    """Vendors compute."""
    with stub_and_source() as (stub, source):
        row = dict(stub.book.rows[SYMBOL][0])  # type: ignore[attr-defined]
        body = {"message": "success", "data": [{**row, "last": "5.123456789012"}]}
        stub.faults.append(Fault(answer=Answer.of(body)))
        snapshot = source.chain(SYMBOL, NOON).snapshot
        assert snapshot is not None
        assert str(snapshot.contracts[0].last) == "5.12345679"


def test_a_rate_refusal_that_mentions_premium_plans_is_a_rate_refusal() -> None:
    """The order of the rules is the point: what passes comes before what a person must mend."""
    told = "Please stay under the number of requests per minute for your premium subscription plan"
    assert kind_of(told) is RefusalKind.RATE
    assert kind_of("This is a premium endpoint") is RefusalKind.PREMIUM


def test_the_same_question_at_the_same_moment_has_the_same_bytes() -> None:
    """The stand-in is deterministic."""
    with stub_and_source() as (stub, source):
        asked = stub.journal
        source.chain(SYMBOL, NOON)
        source.technical(SYMBOL, "MACD", NOON)
        for request in list(asked):
            assert stub.answer(request) == stub.answer(request)
