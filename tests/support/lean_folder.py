"""Writes small folders of market data in Lean's formats."""

import gzip
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

UNIVERSE_HEADER = (
    "#expiry,strike,right,open,high,low,close,volume,open_interest,"
    "implied_volatility,delta,gamma,vega,theta,rho"
)


@dataclass(frozen=True)
class LeanFolder:
    """A folder to which archives are added."""

    path: Path

    def archive(self, name: str, members: Mapping[str, str]) -> Path:
        """Write a zip archive; each member's text ends with a line break."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, text in members.items():
                archive.writestr(member, text + "\n")
        return target

    def universe(self, name: str, *rows: str) -> Path:
        """Write a chain file."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        text = "\n".join((UNIVERSE_HEADER, *rows)) + "\n"
        target.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return target


def option_member(
    kind: str, right: str = "call", strike: int = 7_350_000, expiry: str = "20151231", day: str = "20151224"
) -> str:
    """The name of an option's CSV of one day."""
    return f"{day}_goog_minute_{kind}_american_{right}_{strike}_{expiry}.csv"
