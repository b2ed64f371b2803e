"""The errors of the house: two kinds, few children.

A PermanentError will be the same on the next try (bad input, wrong use, a broken promise of ours);
a TransientError may go away (a service that is down, a timeout). Decisions are values, never exceptions.
"""

SHOWN_VALUE_CHARS_MAX = 120  # a refused value is quoted, but a ten-megabyte field must not flood a log


class DeskError(Exception):
    """Root of all errors raised by this project."""


class PermanentError(DeskError):
    """Trying again changes nothing."""


class TransientError(DeskError):
    """Trying again may help."""


class InvalidFieldError(PermanentError):
    """A field of an input is not what it must be; names the field, what was expected and the value."""

    def __init__(self, field: str, expected: str, value: object) -> None:
        self.field = field
        self.expected = expected
        self.value = value
        super().__init__(f"{field}: expected {expected}, was {shown(value)}")


class WarehouseError(PermanentError):
    """The warehouse refused a statement or broke a promise (for example stored fewer rows than were sent)."""


class WarehouseUnavailableError(TransientError):
    """The warehouse cannot be reached or has no capacity now."""


class LiveStateUnavailableError(TransientError):
    """Redis cannot be reached now."""


class UnreadableStateError(LiveStateUnavailableError):
    """A value of the live state is none of ours; names its field and the value. The others can be read."""


class OutboxFullError(TransientError):
    """The outbox holds as many unread entries as it may: nothing was appended, nothing was dropped."""


class FencedOutError(PermanentError):
    """Another process has taken this one's place since: whatever it still writes is refused."""


class HeldElsewhereError(PermanentError):
    """Another process lives that does what this one was started for; nothing was written."""


class CommandQueueFullError(TransientError):
    """The session has as many unread commands as it may; nothing was sent."""


class ConfigurationError(PermanentError):
    """A setting is missing or malformed; names the key."""


def shown(value: object) -> str:
    """Quote a value for a message, cut to SHOWN_VALUE_CHARS_MAX."""
    text = repr(value)
    return text if len(text) <= SHOWN_VALUE_CHARS_MAX else text[:SHOWN_VALUE_CHARS_MAX] + "…"
