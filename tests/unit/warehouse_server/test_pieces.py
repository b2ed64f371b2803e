"""Admission, accounts, parameters and stream joining, each by itself."""

import threading
import time

import pyarrow as pa
import pytest

from warehouse_server.accounts import Accounts, Role
from warehouse_server.admission import Admission
from warehouse_server.invocation import read_invocation
from warehouse_server.refusals import Refusal, from_engine
from warehouse_server.result_streams import joiner
from warehouse_server.right_of_way import giving_way, goes_first
from warehouse_server.wire import Request, parse_parameters, response_head


def test_places_go_out_in_the_order_of_coming() -> None:
    """First come, first served: the p95 of many clients hangs on it."""
    admission = Admission(1, 100)
    admission.acquire()
    order: list[int] = []

    def wait(number: int) -> None:
        admission.acquire()
        order.append(number)
        admission.release()

    threads = []
    for number in range(20):
        thread = threading.Thread(target=wait, args=(number,))
        thread.start()
        threads.append(thread)
        while admission.waiting <= number:
            time.sleep(0.001)
    admission.release()
    for thread in threads:
        thread.join()
    assert order == list(range(20))


def test_who_has_the_right_of_way_finds_a_place_and_stands_before_the_others() -> None:
    """A place more is his; beyond it he is the next, however many came before him."""
    admission = Admission(1, 100, kept=1)
    admission.acquire()
    admission.acquire(first=True)
    order: list[bool] = []

    def wait(first: bool) -> None:
        admission.acquire(first=first)
        order.append(first)
        admission.release()

    threads = []
    for number, first in enumerate((False, False, True)):
        threads.append(threading.Thread(target=wait, args=(first,)))
        threads[-1].start()
        while admission.waiting <= number:
            time.sleep(0.001)
    admission.release()
    threads[-1].join()
    assert order == [True]  # the first place is held still: none of the others may have the kept one
    assert admission.waiting == 2
    admission.release()
    for thread in threads:
        thread.join()
    assert order == [True, False, False]


def test_who_stands_behind_pauses_for_a_bounded_time() -> None:
    """Unless it says otherwise; without an order nothing is added."""
    assert giving_way({"priority": "3"}) == {"priority": "3", "low_priority_query_wait_time_ms": "100"}
    told = {"priority": "2", "low_priority_query_wait_time_ms": "7"}
    assert giving_way(told) == told
    for settings in ({}, {"priority": "0"}, {"priority": "1"}):
        assert giving_way(settings) == settings
    assert goes_first({"priority": "1"})
    assert not goes_first({"priority": "3"})


def test_a_full_queue_refuses_and_a_pause_returns() -> None:
    """Who waits for a client gives the place away and comes back even to a full queue."""
    admission = Admission(1, 0)
    with admission.place() as place:
        with pytest.raises(Refusal) as caught:
            admission.acquire()
        assert (caught.value.code, caught.value.status) == (202, 503)
        with place.paused():
            admission.acquire()
            admission.release()
    admission.acquire()


def test_a_place_is_free_after_an_error_in_a_pause() -> None:
    """A client that goes away while its query waits for it leaves no place behind."""
    admission = Admission(1, 0)
    with pytest.raises(OSError, match="gone"), admission.place() as place, place.paused():
        raise OSError("gone")
    admission.acquire()


def test_a_pause_behind_the_end_takes_no_place() -> None:
    """The last bytes go out without a place: waiting for a slow client then must not take one for good."""
    admission = Admission(1, 0)
    with admission.place() as place:
        pass
    with place.paused():
        pass
    admission.acquire()


def test_accounts_do_not_show_their_passwords() -> None:
    """A representation in a log holds no secret."""
    assert "secret" not in repr(Accounts("secret-1", "secret-2"))


def test_the_readers_settings() -> None:
    """What the reader may set is a list; the rest is refused before the engine sees it."""
    good = Request("POST", "/", {"max_threads": "1", "readonly": "2"}, {}, True)
    assert dict(read_invocation(good, Role.READER).settings) == {"max_threads": "1"}
    bad = Request("POST", "/", {"allow_ddl": "1"}, {}, True)
    with pytest.raises(Refusal) as caught:
        read_invocation(bad, Role.READER)
    assert caught.value.code == 164
    assert dict(read_invocation(bad, Role.WRITER).settings) == {"allow_ddl": "1"}


def test_parameters_keep_bytes_that_are_no_text() -> None:
    """A URL may carry any byte; it comes out as it went in."""
    value = parse_parameters("param_a=%ff%00%2B+x&b")["param_a"]
    assert value.encode("utf-8", "surrogateescape") == b"\xff\x00+ x"


def test_headers_cannot_be_split() -> None:
    """A line break in a value of the client's does not begin a header."""
    head = response_head(200, {"X-ClickHouse-Query-Id": "a\r\nSet-Cookie: x"})
    assert head.count(b"\r\n") == 3


def test_an_engine_error_keeps_its_number() -> None:
    """The code of the text is the code of the header."""
    refusal = from_engine(RuntimeError("Code: 60. DB::Exception: no. (UNKNOWN_TABLE)"), "1.2")
    assert (refusal.code, refusal.status) == (60, 404)
    assert from_engine(RuntimeError("odd"), "1.2").code == 1002


@pytest.mark.parametrize(
    ("name", "chunks", "joined"),
    [
        ("TSV", [b"1\n", b"2\n"], b"1\n2\n"),
        ("TSVWithNames", [b"a\n1\n", b"a\n2\n"], b"a\n1\n2\n"),
        ("TSVWithNamesAndTypes", [b"a\nInt8\n1\n", b"a\nInt8\n2\n"], b"a\nInt8\n1\n2\n"),
        ("CSVWithNames", [b'"a\nb"\n1\n', b'"a\nb"\n2\n'], b'"a\nb"\n1\n2\n'),
        ("CSVWithNames", [b'"a""\n"\n1\n', b'"a""\n"\n2\n'], b'"a""\n"\n1\n2\n'),
        ("RowBinaryWithNames", [b"\x01\x01a\x01", b"\x01\x01a\x02"], b"\x01\x01a\x01\x02"),
        ("csvwithnames", [b"a\n"], b"a\n"),
    ],
)
def test_chunks_become_one_document(name: str, chunks: list[bytes], joined: bytes) -> None:
    """Headers come once."""
    join = joiner(name)
    assert join is not None
    assert b"".join(join(iter(chunks))) == joined


def test_arrow_chunks_become_one_stream() -> None:
    """Three streams become one that a reader reads to its end."""
    chunks = []
    for at in range(3):
        sink = pa.BufferOutputStream()
        batch = pa.record_batch({"a": [at, at + 1]})
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        chunks.append(sink.getvalue().to_pybytes())
    join = joiner("ArrowStream")
    assert join is not None
    assert pa.ipc.open_stream(b"".join(join(iter(chunks)))).read_all()["a"].to_pylist() == [0, 1, 1, 2, 2, 3]


def test_documents_are_not_joined() -> None:
    """JSON, Parquet and the like are one document each."""
    assert [joiner(name) for name in ("JSON", "Parquet", "Arrow", "XML", "Pretty")] == [None] * 5
