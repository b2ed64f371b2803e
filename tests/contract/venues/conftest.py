"""Venue stubs on loopback, keys that belong to them, and a clock that stands still."""

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from trading.ports.clock import Clock

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class StandingClock(Clock):
    """Always the same moment."""

    def now(self) -> datetime:
        return NOW


@dataclass
class Naps:
    """Records what would have been slept."""

    taken: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
def clock() -> Clock:
    return StandingClock()


@pytest.fixture(scope="session")
def kraken_secret() -> str:
    return base64.b64encode(b"a secret of this test only").decode()


@pytest.fixture(scope="session")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def rsa_pem(rsa_key: rsa.RSAPrivateKey) -> bytes:
    return rsa_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
