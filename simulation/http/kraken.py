"""Kraken Futures: fills (newest first, a hundred a page), open positions, open orders (each in one answer);
errors with status 200, signatures checked.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

from simulation.http.server import Answer, Request, StubVenue

FILLS_PATH = "/derivatives/api/v3/fills"
POSITIONS_PATH = "/derivatives/api/v3/openpositions"
ORDERS_PATH = "/derivatives/api/v3/openorders"
PAGE_ROWS = 100
SERVER_TIME = "2026-11-21T00:00:00.000Z"


def error(word: str) -> Answer:
    """An error in this venue's words."""
    return Answer.of({"result": "error", "error": word, "serverTime": SERVER_TIME})


class KrakenStub(StubVenue):
    """Serves `fills` (rows in REST shape, any order), `positions` and `orders` to whoever signs with the key
    pair.
    """

    def __init__(self, fills: Sequence[Mapping[str, object]], *, api_key: str, secret: str) -> None:
        super().__init__()
        self.fills = list(fills)
        self.positions: list[Mapping[str, object]] = []
        self.orders: list[Mapping[str, object]] = []
        self.api_key = api_key
        self.secret = secret
        self.nonces: set[str] = set()

    def answer(self, request: Request) -> Answer:
        """One page of fills, all of the others, or an error."""
        if request.path not in (FILLS_PATH, POSITIONS_PATH, ORDERS_PATH):
            return Answer.of({"result": "error", "error": "notFound"}, status=404)
        nonce = request.headers.get("nonce", "")
        if request.headers.get("apikey") != self.api_key or not self._is_signed(request, nonce):
            return error("authenticationError")
        if nonce in self.nonces:
            return error("nonceDuplicate")
        self.nonces.add(nonce)
        if request.path == POSITIONS_PATH:
            return _told("openPositions", self.positions)
        if request.path == ORDERS_PATH:
            return _told("openOrders", self.orders)
        return self._fills(request)

    def _fills(self, request: Request) -> Answer:
        rows = sorted(self.fills, key=_moment, reverse=True)
        before = request.params.get("lastFillTime")
        if before is not None:
            limit = datetime.fromisoformat(before)
            rows = [row for row in rows if _moment(row) < limit]
        return _told("fills", rows[:PAGE_ROWS])

    def _is_signed(self, request: Request, nonce: str) -> bool:
        message = (request.query + nonce + request.path[len("/derivatives") :]).encode()
        key = base64.b64decode(self.secret)
        expected = hmac.new(key, hashlib.sha256(message).digest(), hashlib.sha512).digest()
        return hmac.compare_digest(base64.b64encode(expected), request.headers.get("authent", "").encode())


def _told(name: str, rows: Sequence[Mapping[str, object]]) -> Answer:
    return Answer.of({"result": "success", name: list(rows), "serverTime": SERVER_TIME})


def _moment(row: Mapping[str, object]) -> datetime:
    return datetime.fromisoformat(str(row["fillTime"]))
