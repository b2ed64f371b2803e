"""Kraken Futures fills: newest first, a hundred a page, errors with status 200, signatures checked."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

from simulation.http.server import Answer, Request, StubVenue

FILLS_PATH = "/derivatives/api/v3/fills"
PAGE_ROWS = 100
SERVER_TIME = "2026-11-21T00:00:00.000Z"


def error(word: str) -> Answer:
    """An error in this venue's words."""
    return Answer.of({"result": "error", "error": word, "serverTime": SERVER_TIME})


class KrakenStub(StubVenue):
    """Serves `fills` (rows in REST shape, any order) to whoever signs with the key pair."""

    def __init__(self, fills: Sequence[Mapping[str, object]], *, api_key: str, secret: str) -> None:
        super().__init__()
        self.fills = list(fills)
        self.api_key = api_key
        self.secret = secret
        self.nonces: set[str] = set()

    def answer(self, request: Request) -> Answer:
        """One page of fills, or an error."""
        if request.path != FILLS_PATH:
            return Answer.of({"result": "error", "error": "notFound"}, status=404)
        nonce = request.headers.get("nonce", "")
        if request.headers.get("apikey") != self.api_key or not self._is_signed(request, nonce):
            return error("authenticationError")
        if nonce in self.nonces:
            return error("nonceDuplicate")
        self.nonces.add(nonce)
        rows = sorted(self.fills, key=_moment, reverse=True)
        before = request.params.get("lastFillTime")
        if before is not None:
            limit = datetime.fromisoformat(before)
            rows = [row for row in rows if _moment(row) < limit]
        return Answer.of({"result": "success", "fills": rows[:PAGE_ROWS], "serverTime": SERVER_TIME})

    def _is_signed(self, request: Request, nonce: str) -> bool:
        message = (request.query + nonce + request.path[len("/derivatives") :]).encode()
        key = base64.b64decode(self.secret)
        expected = hmac.new(key, hashlib.sha256(message).digest(), hashlib.sha512).digest()
        return hmac.compare_digest(base64.b64encode(expected), request.headers.get("authent", "").encode())


def _moment(row: Mapping[str, object]) -> datetime:
    return datetime.fromisoformat(str(row["fillTime"]))
