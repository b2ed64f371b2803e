"""An answer of a public address is whole and within its bound of bytes, however it is packed."""

import gzip
import tracemalloc

import pytest
from vendor_desk import stub_and_source

from adapters.venue.whole_answer import AnswerLimits, PublicAddress
from simulation.http.server import Answer, Fault
from trading.ports.vendor_source import VendorUnavailableError

LIMITS = AnswerLimits(connect_s=5, answer_s=30, bytes_max=1_000)
PACKED = {"Content-Encoding": "gzip"}
BOMB_BYTES, PEAK_BYTES_MAX = 64 * 1024 * 1024, 8 * 1024 * 1024


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("size", [1_000, 1_001])
def test_a_body_beyond_its_bound_is_none(size: int, *, is_packed: bool) -> None:
    """A byte more than the bound is refused; the bound counts what is unpacked."""
    body = b"x" * size
    with stub_and_source() as (stub, _):
        stub.faults.append(
            Fault(answer=Answer(gzip.compress(body), 200, PACKED) if is_packed else Answer(body))
        )
        address = PublicAddress("cboe", stub.url, LIMITS)
        if size <= LIMITS.bytes_max:
            assert address.get("/query").body == body
        else:
            with pytest.raises(VendorUnavailableError, match="at most 1000 bytes"):
                address.get("/query")
        address.close()


def test_a_small_body_that_unpacks_to_a_large_one_takes_no_memory() -> None:
    """Sixty megabytes of nothing are sixty kilobytes on the wire: unpacked no further than the bound."""
    with stub_and_source() as (stub, _):
        stub.faults.append(Fault(answer=Answer(gzip.compress(bytes(BOMB_BYTES)), 200, PACKED)))
        address = PublicAddress("cboe", stub.url, LIMITS)
        tracemalloc.start()
        with pytest.raises(VendorUnavailableError, match="at most 1000 bytes"):
            address.get("/query")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < PEAK_BYTES_MAX
        address.close()
