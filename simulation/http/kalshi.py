"""Kalshi's fills and settlements: cursor paging, spans in epoch seconds, RSA-PSS signatures checked."""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from simulation.http.server import Answer, Request, StubVenue

LIVE_PATH = "/trade-api/v2/portfolio/fills"
HISTORICAL_PATH = "/trade-api/v2/historical/fills"
SETTLEMENTS_PATH = "/trade-api/v2/portfolio/settlements"
PAGE_ROWS_MAX = 1_000
PAGE_ROWS = 100


def error(status: int, code: str) -> Answer:
    """An error in this venue's words."""
    return Answer.of({"error": {"code": code, "message": code.replace("_", " ")}}, status=status)


class KalshiStub(StubVenue):
    """Serves fills and settlements to whoever signs with the key that belongs to `public_key`."""

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
        self.key_id = key_id
        self.public_key = public_key

    def answer(self, request: Request) -> Answer:
        """One page of fills, or an error."""
        if request.path not in self.rows:
            return error(404, "not_found")
        if request.headers.get("kalshi-access-key") != self.key_id or not self._is_signed(request):
            return error(401, "authentication_error")
        params = request.params
        first, last = int(params.get("min_ts", "0")), int(params.get("max_ts", "99999999999"))
        rows = [row for row in self.rows[request.path] if first <= _epoch(row) <= last]
        rows.sort(key=_epoch, reverse=True)
        limit = min(int(params.get("limit", str(PAGE_ROWS))), PAGE_ROWS_MAX)
        start = _offset(params.get("cursor", ""))
        following = start + limit
        cursor = base64.b64encode(f"at:{following}".encode()).decode() if following < len(rows) else ""
        kind = "settlements" if request.path == SETTLEMENTS_PATH else "fills"
        return Answer.of({"cursor": cursor, kind: rows[start:following]})

    def _is_signed(self, request: Request) -> bool:
        stamp = request.headers.get("kalshi-access-timestamp", "")
        signature = base64.b64decode(request.headers.get("kalshi-access-signature", ""))
        scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
        try:
            self.public_key.verify(signature, f"{stamp}GET{request.path}".encode(), scheme, hashes.SHA256())
        except InvalidSignature:
            return False
        return True


def _epoch(row: Mapping[str, object]) -> float:
    return datetime.fromisoformat(str(row.get("created_time") or row["settled_time"])).timestamp()


def _offset(cursor: str) -> int:
    return int(base64.b64decode(cursor).decode().removeprefix("at:")) if cursor else 0
