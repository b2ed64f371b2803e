"""The tap: every message as text before the library decodes it, and every message that it cannot decode.

What can lose money here: the library logs a message that it cannot read and goes on, so an execution with a
field more, or in a zone that it does not know, is gone without a trace. Executions and commissions are
therefore taken as they come, and read by our own normalizer; of all others the failure is heard.

The library says its failures to a logger which all connections of the process share, so the tap gives the
decoder a logger of its own. What the library cannot even dispatch (an unknown message) fails there, too.
"""

import logging
import sys
from collections.abc import Set
from typing import Any

from adapters.ibkr.session.heard import HearsLink

EXECUTION, COMMISSION = "11", "59"
AS_TEXT = frozenset({EXECUTION, COMMISSION})
UNDECODED_CHARS_MAX = 2_000  # of the error's text


def tap(decoder: Any, hears: HearsLink, as_text: Set[str] = AS_TEXT) -> None:
    """Put the tap between a client and its decoder; messages of these kinds are handed on as text, too."""
    interpret = decoder.interpret
    failures = _Failures()
    logger = logging.Logger(f"{decoder.logger.name}.tapped", logging.WARNING)
    logger.addHandler(failures)
    decoder.logger = logger

    def tapped(fields: list[str]) -> None:
        heard = tuple(fields)  # the decoder takes fields away from the list
        if heard and heard[0] in as_text:
            _hand_on(hears, heard)
        failures.text = ""
        interpret(fields)
        if failures.text:
            hears.undecodable(heard, failures.text)

    decoder.interpret = tapped


def _hand_on(hears: HearsLink, fields: tuple[str, ...]) -> None:
    """An error of ours would end in the library, which drops it and leaves the rest of the packet lying."""
    try:
        hears.message(fields)
    except Exception as error:  # noqa: BLE001
        hears.undecodable(fields, f"not taken: {type(error).__name__}: {error}")


class _Failures(logging.Handler):
    """Keeps what the decoder last complained of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Take the error itself; the message around it repeats the fields."""
        error = sys.exc_info()[1]
        text = f"{type(error).__name__}: {error}" if error is not None else record.getMessage()
        self.text = text[:UNDECODED_CHARS_MAX]
