"""Documents as JSON: what is printed is no larger than its text."""

import tracemalloc

from adapters.redis.json_texts import printed

TEXTS, CHARS = 1_000, 200


def test_texts_that_wait_to_be_sent_take_their_length_and_no_buffer() -> None:
    """The printer's own buffer is four to eight thousand bytes for each."""
    tracemalloc.start()
    try:
        texts = [printed("row", {"text": f"{number:0{CHARS}}"}, 10_000) for number in range(TEXTS)]
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 2 * sum(map(len, texts))
