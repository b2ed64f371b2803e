"""Requests keep to the venue's pace, and answers keep to our bounds."""

from typing import Any

import httpx
import pytest

from adapters.venue import asking
from adapters.venue.asking import Pace, VenueRefusedError, VenueRequests, VenueUnavailableError
from simulation.http.server import Answer, Fault, Request, StubVenue


class Echo(StubVenue):
    """Says what it was asked."""

    def answer(self, request: Request) -> Answer:
        return Answer.of({"query": request.query, "signed": request.headers.get("signed")})


def test_requests_keep_their_distance() -> None:
    """Ten requests at once are spread over nine intervals."""
    naps: list[float] = []
    pace = Pace(0.5, sleep=naps.append, monotonic=lambda: 100.0)
    for _ in range(10):
        pace.wait()
    assert naps == [0.5 * n for n in range(1, 10)]


def test_a_slow_caller_does_not_wait() -> None:
    """Time that passed anyway counts."""
    naps: list[float] = []
    moments = iter([0.0, 5.0, 5.1, 9.0])
    pace = Pace(0.5, sleep=naps.append, monotonic=lambda: next(moments))
    for _ in range(4):
        pace.wait()
    assert naps == [pytest.approx(0.4)]


def test_the_signed_query_is_the_sent_query() -> None:
    """What is signed is byte for byte what goes over the wire, colons and blanks included."""
    with Echo() as venue:
        requests = VenueRequests("echo", venue.url, Pace(0.0))
        body = requests.get(
            "/x", {"at": "2026-11-20T00:00:00.000Z", "q": "a b&c"}, lambda query: {"signed": query}
        )
        requests.close()
    (request,) = venue.journal
    assert request.headers["signed"] == request.query
    assert b"2026-11-20T00" in body


def test_an_endless_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body beyond the bound ends the reading."""
    monkeypatch.setattr(asking, "ANSWER_BYTES_MAX", 1_000)
    with Echo() as venue:
        venue.faults.append(Fault(Answer(b"x" * 100_000)))
        requests = VenueRequests("echo", venue.url, Pace(0.0))
        with pytest.raises(VenueRefusedError, match="1000 bytes"):
            requests.get("/x", {}, lambda _query: {})
        requests.close()


def test_nobody_there_is_unavailable() -> None:
    """A refused connection is retried and is then a TransientError with its cause in words."""
    naps: list[Any] = []
    with Echo() as venue:
        url = venue.url
    requests = VenueRequests("echo", url, Pace(0.0), sleep=naps.append, timeout=httpx.Timeout(0.5))
    with pytest.raises(VenueUnavailableError, match="ConnectError"):
        requests.get("/x", {}, lambda _query: {})
    assert len(naps) == 4
    requests.close()
