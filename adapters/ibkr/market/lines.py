"""Lines: what a request number stands for. Every message of the market carries the number of its line."""

from dataclasses import dataclass
from enum import StrEnum

from trading.model.instruments import Option


class LineKind(StrEnum):
    """What is heard on a line; the text is the feed's name, too."""

    LEVEL1 = "level1"  # of an underlying, with its prints as text (generic tick 233)
    OPTION = "option"  # level 1 of an option that has a line of its own
    SNAPSHOT = "snapshot"  # one look at an option
    DEPTH = "depth"
    PRINTS = "prints"  # tick by tick: every trade
    TOUCHES = "touches"  # tick by tick: every change of bid and ask
    BARS = "bars"  # of five seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownContract:
    """A contract as the broker told it; `option` where it is one."""

    conid: int
    symbol: str
    sec_type: str
    exchange: str
    instrument_id: str
    option: Option | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is heard under a number; `symbol` is the underlying's, `ticks` the generic ticks it asks for."""

    kind: LineKind
    symbol: str
    contract: KnownContract
    ticks: str = ""
