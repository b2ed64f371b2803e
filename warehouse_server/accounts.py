"""Who asks: two users, `writer` and `reader`, a password on every request. Keep out what each may do."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from warehouse_server.refusals import AUTHENTICATION_FAILED, Refusal, refuse


class Role(Enum):
    """What a user may do."""

    WRITER = "writer"
    READER = "reader"


@dataclass(frozen=True, slots=True)
class Accounts:
    """The two passwords; a representation never shows them."""

    writer_password: str
    reader_password: str

    def __repr__(self) -> str:
        return "Accounts(writer, reader)"

    def authenticate(self, headers: Mapping[str, str], parameters: Mapping[str, str]) -> Role:
        """The role behind the credentials of one request, or 401 (none given) and 403 (wrong)."""
        user, password = _credentials(headers, parameters)
        if user is None:
            raise _failed("default", 401)
        expected = {Role.WRITER.value: self.writer_password, Role.READER.value: self.reader_password}
        known = expected.get(user, self.writer_password + "?")
        if not hmac.compare_digest(known.encode(), password.encode()) or user not in expected:
            raise _failed(user, 403)
        return Role(user)


def _credentials(headers: Mapping[str, str], parameters: Mapping[str, str]) -> tuple[str | None, str]:
    if "x-clickhouse-user" in headers:
        return headers["x-clickhouse-user"], headers.get("x-clickhouse-key", "")
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        return _basic(token)
    if "user" in parameters:
        return parameters["user"], parameters.get("password", "")
    return None, ""


def _basic(token: str) -> tuple[str | None, str]:
    try:
        text = base64.b64decode(token.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    user, _, password = text.partition(":")
    return user, password


def _failed(user: str, status: int) -> Refusal:
    return refuse(
        AUTHENTICATION_FAILED,
        "AUTHENTICATION_FAILED",
        f"{user[:64]}: Authentication failed: password is incorrect, or there is no user with such name",
        status,
    )
