"""Kalshi: fills and settlements by spans in epoch seconds, positions, orders by status; cursor paging,
RSA-PSS signatures checked.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from simulation.http.server import Answer, Request, StubVenue

LIVE_PATH = "/trade-api/v2/portfolio/fills"
HISTORICAL_PATH = "/trade-api/v2/historical/fills"
SETTLEMENTS_PATH = "/trade-api/v2/portfolio/settlements"
POSITIONS_PATH = "/trade-api/v2/portfolio/positions"
ORDERS_PATH = "/trade-api/v2/portfolio/orders"
PAGE_ROWS_MAX = 1_000
PAGE_ROWS = 100
NOTHING: Mapping[str, object] = MappingProxyType({})


def error(status: int, code: str) -> Answer:
    """An error in this venue's words."""
    return Answer.of({"error": {"code": code, "message": code.replace("_", " ")}}, status=status)


class KalshiStub(StubVenue):
    """Serves fills, settlements, `positions` (by market), `events` (the positions by event) and `orders` to
    whoever signs with the key that belongs to `public_key`.
    """

    def __init__(
        self,
        live: Sequence[Mapping[str, object]],
        historical: Sequence[Mapping[str, object]] = (),
        settlements: Sequence[Mapping[str, object]] = (),
        *,
        key_id: str,
        public_key: rsa.RSAPublicKey,
    ) -> None:
        super().__init__()
        self.rows = {
            LIVE_PATH: list(live),
            HISTORICAL_PATH: list(historical),
            SETTLEMENTS_PATH: list(settlements),
        }
        self.positions: list[Mapping[str, object]] = []
        self.events: list[Mapping[str, object]] = []
        self.orders: list[Mapping[str, object]] = []
        self.key_id = key_id
        self.public_key = public_key

    def answer(self, request: Request) -> Answer:
        """One page, or an error."""
        if request.path not in (*self.rows, POSITIONS_PATH, ORDERS_PATH):
            return error(404, "not_found")
        if request.headers.get("kalshi-access-key") != self.key_id or not self._is_signed(request):
            return error(401, "authentication_error")
        if request.path == POSITIONS_PATH:
            first = {"event_positions": self.events} if "cursor" not in request.params else {}
            return _page(request, "market_positions", self.positions, {"event_positions": [], **first})
        if request.path == ORDERS_PATH:
            status = request.params.get("status")
            return _page(request, "orders", [row for row in self.orders if status in (None, row["status"])])
        return self._span(request)

    def _span(self, request: Request) -> Answer:
        params = request.params
        first, last = int(params.get("min_ts", "0")), int(params.get("max_ts", "99999999999"))
        rows = [row for row in self.rows[request.path] if first < _epoch(row) < last]  # "after", "before"
        rows.sort(key=_epoch, reverse=True)
        return _page(request, "settlements" if request.path == SETTLEMENTS_PATH else "fills", rows)

    def _is_signed(self, request: Request) -> bool:
        stamp = request.headers.get("kalshi-access-timestamp", "")
        signature = base64.b64decode(request.headers.get("kalshi-access-signature", ""))
        scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
        try:
            self.public_key.verify(signature, f"{stamp}GET{request.path}".encode(), scheme, hashes.SHA256())
        except InvalidSignature:
            return False
        return True


def _page(
    request: Request, kind: str, rows: Sequence[Mapping[str, object]], more: Mapping[str, object] = NOTHING
) -> Answer:
    limit = min(int(request.params.get("limit", str(PAGE_ROWS))), PAGE_ROWS_MAX)
    start = _offset(request.params.get("cursor", ""))
    following = start + limit
    cursor = base64.b64encode(f"at:{following}".encode()).decode() if following < len(rows) else ""
    return Answer.of({"cursor": cursor, kind: list(rows[start:following]), **more})


def _epoch(row: Mapping[str, object]) -> float:
    return datetime.fromisoformat(str(row.get("created_time") or row["settled_time"])).timestamp()


def _offset(cursor: str) -> int:
    return int(base64.b64decode(cursor).decode().removeprefix("at:")) if cursor else 0
