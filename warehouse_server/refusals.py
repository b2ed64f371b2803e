"""Errors as the ClickHouse HTTP interface words them: a code, a name, a status. Keep out transport."""

import re
from typing import Final

_CODE: Final = re.compile(r"Code: (\d+)")

UNKNOWN_FORMAT: Final = 73
NOT_FOUND_COLUMN: Final = 16
BAD_ARGUMENTS: Final = 36
NOT_IMPLEMENTED: Final = 48
SYNTAX_ERROR: Final = 62
READONLY: Final = 164
TIMEOUT_EXCEEDED: Final = 159
TOO_MANY_QUERIES: Final = 202
SAME_ID_RUNNING: Final = 216
SESSION_NOT_FOUND: Final = 372
SESSION_LOCKED: Final = 373
RESULT_TOO_LARGE: Final = 396
QUERY_TOO_LARGE: Final = 500
OUTFILE_NOT_ALLOWED: Final = 498
AUTHENTICATION_FAILED: Final = 516
UNKNOWN_EXCEPTION: Final = 1002

_BAD_REQUEST: Final = {6, 7, 8, 25, 26, 27, 31, 33, 36, 38, 41, 42, 43, 44, 53, 62, 69, 70, 72, 117, 131, 427}
_NOT_FOUND: Final = {46, 47, 50, 56, 60, 63, 73, 81, 97, 115, 120, 128, 336}
_STATUS: Final = {
    **dict.fromkeys(_BAD_REQUEST, 400),
    **dict.fromkeys(_NOT_FOUND, 404),
    NOT_IMPLEMENTED: 501,
    TIMEOUT_EXCEEDED: 408,
    TOO_MANY_QUERIES: 503,
    SESSION_NOT_FOUND: 404,
    QUERY_TOO_LARGE: 413,
    AUTHENTICATION_FAILED: 403,
}


class Refusal(Exception):
    """A request that ends in an error document: `code` is ClickHouse's number, `status` HTTP's."""

    def __init__(self, code: int, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status if status is not None else _STATUS.get(code, 500)


def refuse(code: int, name: str, message: str, status: int | None = None) -> Refusal:
    """A refusal of ours in the engine's own wording."""
    return Refusal(code, f"Code: {code}. DB::Exception: {message}. ({name})", status)


def from_engine(error: BaseException, version: str) -> Refusal:
    """What the engine raised, with the trailer that clients cut off again."""
    message = str(error).strip()
    found = _CODE.search(message)
    code = int(found.group(1)) if found else UNKNOWN_EXCEPTION
    if not found:
        message = f"Code: {code}. DB::Exception: {message}. (UNKNOWN_EXCEPTION)"
    if "(version " not in message[-60:]:
        message = f"{message} (version {version} (official build))"
    return Refusal(code, message)
