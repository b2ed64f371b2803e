"""How long a tape remembers quotes: as long as a print may be late, however seldom they change."""

from datetime import UTC, datetime, timedelta

from trading.market.tape import LATE_MAX, TOUCHES_KEPT_FOR, Signer

NOON = datetime(2026, 11, 13, 17, tzinfo=UTC)
EVERY = timedelta(seconds=20)


def test_quotes_of_a_quiet_name_are_kept_as_long_as_a_print_may_be_late_and_no_longer() -> None:
    """After three hours no more are there than after one, and the quote of a late print is among them."""
    signer, most = Signer(), 1.5 * (TOUCHES_KEPT_FOR / EVERY) + 2
    for number in range(540):
        signer.touch(float(number), number + 1.0, NOON + number * EVERY)
        assert len(signer._times) <= most
    newest = NOON + 539 * EVERY
    late = signer.stood(newest - LATE_MAX)
    assert late == (539 - LATE_MAX / EVERY, 540 - LATE_MAX / EVERY)
    assert signer.stood(NOON) == (None, None)


def test_the_quote_that_stands_is_never_forgotten_however_old_it_is() -> None:
    """A name that did not move for hours: its prints are signed by the quote of the morning."""
    signer = Signer()
    signer.touch(1.0, 2.0, NOON)
    signer.touch(1.0, 3.0, NOON + timedelta(hours=3))
    assert signer.stood(NOON + timedelta(hours=2, minutes=45)) == (1, 2)
