"""The broker's Flex Web Service: SendRequest gives a reference, GetStatement the statement made for it.

It serves what it is given, and knows the ways in which the real one says no: token, query, reference,
version, "being generated". Scripted faults come from `StubVenue.faults`; `error`, `success` and `statement`
make the answers for them. A statement is taken when it is asked for, so what lies in a folder may change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from simulation.http.server import Answer, Request, StubVenue

BASE_PATH = "/AccountManagement/FlexWebService"
SEND_PATH, GET_PATH = f"{BASE_PATH}/SendRequest", f"{BASE_PATH}/GetStatement"
VERSION = "3"
FIRST_REFERENCE = 8_936_364_590  # they are numbers of this length
TOKEN = "110011001100110011001100"  # noqa: S105 (of the stub, for nobody else)
MADE_AT = "21 November, 2026 07:00 AM EST"
STATEMENT = re.compile(rb"<FlexStatement\b.*?</FlexStatement>", re.DOTALL)
FRAME = re.compile(rb"<FlexQueryResponse\b[^>]*>")

WORDS = {
    1001: "Statement could not be generated at this time. Please try again shortly.",
    1003: "Statement is not available.",
    1009: "The server is under heavy load. Please try again shortly.",
    1012: "Token has expired.",
    1013: "IP restriction.",
    1014: "Query is invalid.",
    1015: "Token is invalid.",
    1017: "Reference code is invalid.",
    1018: "Too many requests have been made from this token. Please try again shortly.",
    1019: "Statement generation in progress. Please try again shortly.",
    1020: "Invalid request or unable to validate request.",
    1021: "Statement could not be retrieved at this time. Please try again shortly.",
}
XML = {"Content-Type": "text/xml;charset=UTF-8"}


def error(code: int) -> Answer:
    """An error envelope; "being generated" is a warning, all else a failure."""
    status = "Warn" if code == 1019 else "Fail"
    return _envelope(
        f"<Status>{status}</Status><ErrorCode>{code}</ErrorCode><ErrorMessage>{WORDS[code]}</ErrorMessage>"
    )


def success(reference: str, url: str) -> Answer:
    """The envelope that names the reference and the address to ask next."""
    return _envelope(f"<Status>Success</Status><ReferenceCode>{reference}</ReferenceCode><Url>{url}</Url>")


def statement(content: bytes) -> Answer:
    """A statement, or whatever else is to pass for one."""
    return Answer(content, headers=XML)


class FlexStub(StubVenue):
    """Serves statements by query id to whoever has the token.

    A statement is bytes, a file, or a folder whose files (all `*.xml` in it) are one answer. Each reference
    is "being generated" `polls` times before its statement is there.
    """

    def __init__(
        self,
        statements: Mapping[str, bytes | Path],
        *,
        token: str = TOKEN,
        port: int = 0,
        polls: int = 0,
    ) -> None:
        super().__init__(port)
        self.statements = dict(statements)
        self.token = token
        self.polls = polls
        self.references: dict[str, str] = {}
        self.polled: dict[str, int] = {}

    @property
    def base_url(self) -> str:
        """What a client is configured with."""
        return self.url + BASE_PATH

    def answer(self, request: Request) -> Answer:
        """One of the two steps, or an error."""
        params = request.params
        if request.path not in (SEND_PATH, GET_PATH):
            return Answer(b"<html><body>Not found</body></html>", 404, {"Content-Type": "text/html"})
        if not request.headers.get("user-agent"):
            return Answer(b"<html><body>Access denied</body></html>", 403, {"Content-Type": "text/html"})
        if params.get("v") != VERSION or not params.get("q"):
            return error(1020)
        if params.get("t") != self.token:
            return error(1015)
        return self._send(params["q"]) if request.path == SEND_PATH else self._get(params["q"])

    def _send(self, query_id: str) -> Answer:
        if query_id not in self.statements:
            return error(1014)
        reference = str(FIRST_REFERENCE + len(self.references))
        self.references[reference] = query_id
        return success(reference, self.url + GET_PATH)

    def _get(self, reference: str) -> Answer:
        query_id = self.references.get(reference)
        if query_id is None:
            return error(1017)
        self.polled[reference] = self.polled.get(reference, 0) + 1
        if self.polled[reference] <= self.polls:
            return error(1019)
        content = _content(self.statements[query_id])
        return statement(content) if content else error(1003)


def serve_flex(statements: Mapping[str, bytes | Path] | Path, token: str = TOKEN, polls: int = 0) -> FlexStub:
    """A stub to be entered as a context; `with serve_flex(…) as stub: stub.base_url`.

    A folder serves the files of its folders `activity` and `confirmation` under these query ids; they need
    not be there yet: a query without files is "not available" (1003).
    """
    if isinstance(statements, Path):
        statements = {name: statements / name for name in ("activity", "confirmation")}
    return FlexStub(statements, token=token, polls=polls)


def one_answer(files: Iterable[bytes]) -> bytes:
    """The statements of several files of one query as one file: how a query over many accounts answers."""
    contents = list(files)
    if not contents:
        return b""
    frame = FRAME.search(contents[0])
    parts = [part for content in contents for part in STATEMENT.findall(content)]
    if frame is None or len(contents) == 1:
        return contents[0]
    count = f'<FlexStatements count="{len(parts)}">'.encode()
    return b"\n".join([frame.group(0), count, *parts, b"</FlexStatements>", b"</FlexQueryResponse>", b""])


def _content(source: bytes | Path) -> bytes:
    if isinstance(source, bytes):
        return source
    if source.is_dir():
        return one_answer(path.read_bytes() for path in sorted(source.glob("*.xml")))
    return source.read_bytes() if source.is_file() else b""


def _envelope(inner: str) -> Answer:
    text = f"<FlexStatementResponse timestamp='{MADE_AT}'>{inner}</FlexStatementResponse>"
    return Answer(text.encode(), headers=XML)
