"""Which tests show the end of which alerts: what tests/architecture holds to the definitions."""

from collections.abc import Callable
from typing import TypeVar

from trading.model.alerts import is_condition

Test = TypeVar("Test", bound=Callable[..., object])


def shows_the_end_of(*codes: str) -> Callable[[Test], Test]:
    """Mark a test; a code that has no end is a mistake in the mark."""
    assert all(is_condition(code) for code in codes), codes

    def marked(test: Test) -> Test:
        return test

    return marked
