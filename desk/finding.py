"""What `desk doctor` finds of one thing, and what it looks at. Keep out: the checks (`examination`)."""

from dataclasses import dataclass
from enum import Enum

from desk.stack.catalog import external_services
from desk.stack.layout import StackLayout
from trading.settings import Settings


class Verdict(Enum):
    """How bad it is."""

    GOOD = "good"
    NOTE = "note"  # works, but a person may want to know
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was examined."""

    name: str
    verdict: Verdict
    detail: str
    mend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What the checks are given: effective settings, those of the user alone, and where the stack lives."""

    effective: Settings
    configured: Settings
    layout: StackLayout

    @property
    def external(self) -> tuple[str, ...]:
        """The services that live elsewhere."""
        return external_services(self.configured)


def good(name: str, detail: str) -> Finding:
    """It is as it should be."""
    return Finding(name=name, verdict=Verdict.GOOD, detail=detail)


def note(name: str, detail: str, mend: str = "") -> Finding:
    """It works, and a person may want to know."""
    return Finding(name=name, verdict=Verdict.NOTE, detail=detail, mend=mend)


def broken(name: str, detail: str, mend: str) -> Finding:
    """It has to be mended."""
    return Finding(name=name, verdict=Verdict.BROKEN, detail=detail, mend=mend)
