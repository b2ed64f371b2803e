"""The contract master: what a contract delivers, by version, and whether it may be counted and chosen.

A split or a merger changes what a series delivers, its strike, sometimes its root. Such terms are a property
of the contract over time, never of a fill, so they live here with the dates they hold. A contract whose terms
were adjusted is kept out of exposures and selection until a person has confirmed them: a strike of 650 beside
a share at 93 would otherwise look like the deepest call of the chain.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from trading.errors import InvalidFieldError
from trading.model.instruments import Option

KNOWN_FROM = date(1990, 1, 1)  # where the history of a contract is not told
STRIKE_TICK = Decimal("0.01")  # OCC rounds adjusted strikes to the cent


@dataclass(frozen=True, slots=True)
class Deliverable:
    """One thing a contract delivers: units of a share, or an amount of cash under the currency's name."""

    symbol: str
    units: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractTerms:
    """One version of a contract: from `valid_from` to before `valid_to` (open-ended if None)."""

    option: Option
    valid_from: date
    valid_to: date | None = None
    deliverables: tuple[Deliverable, ...] = ()
    adjusted: bool = False
    confirmed: bool = False
    replaces: str = ""
    reason: str = ""

    def holds_on(self, day: date) -> bool:
        """Whether the version is in force on the day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    @property
    def usable(self) -> bool:
        """Whether exposures and selection may count it."""
        return self.confirmed or not self.adjusted


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """`numerator` new shares for `denominator` old ones, from the opening of `effective`."""

    symbol: str
    effective: date
    numerator: int
    denominator: int = 1

    def __post_init__(self) -> None:
        """Refuse what divides nothing."""
        if self.numerator <= 0 or self.denominator <= 0 or self.numerator == self.denominator:
            raise InvalidFieldError(
                "split", "two different positive numbers", (self.numerator, self.denominator)
            )

    @property
    def is_whole(self) -> bool:
        """Whether each old share becomes a whole number of new ones."""
        return self.numerator % self.denominator == 0


@dataclass(frozen=True, slots=True)
class ContractMaster:
    """All versions of all contracts we know, oldest first; a change makes a new master."""

    versions: Mapping[str, tuple[ContractTerms, ...]] = field(default_factory=dict)
    conids: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, terms: Iterable[ContractTerms]) -> "ContractMaster":
        """Build from rows in any order; of two that start on one day the later row counts."""
        versions: dict[str, tuple[ContractTerms, ...]] = {}
        conids: dict[int, str] = {}
        for row in sorted(terms, key=lambda row: row.valid_from):
            _add(versions, conids, row)
        return cls(versions, conids)

    def with_version(self, version: ContractTerms) -> "ContractMaster":
        """Add a version; it ends the open one before it, and one that starts the same day replaces that."""
        versions, conids = dict(self.versions), dict(self.conids)
        _add(versions, conids, version)
        return ContractMaster(versions, conids)

    def terms_on(self, option: Option, day: date) -> ContractTerms | None:
        """The version in force on the day; None for a contract or a day we do not know."""
        rows = self.versions.get(option.instrument_id, ())
        return next((row for row in reversed(rows) if row.holds_on(day)), None)

    def by_conid(self, conid: int, day: date) -> ContractTerms | None:
        """The version in force of the contract the broker calls so."""
        rows = self.versions.get(self.conids.get(conid, ""), ())
        return next((row for row in reversed(rows) if row.holds_on(day)), None)

    def is_usable(self, option: Option, day: date) -> bool:
        """Whether exposures and selection may count the contract on the day.

        A contract without terms counts unless it looks adjusted; one with terms counts while a usable version
        holds.
        """
        terms = self.terms_on(option, day)
        if terms is not None:
            return terms.usable
        return option.instrument_id not in self.versions and not looks_adjusted(option)


def looks_adjusted(option: Option) -> bool:
    """Whether the contract's own spelling shows an adjustment: a root that ends in a digit (``AAPL7``)."""
    return option.root[-1:].isdigit()


def split_contract(option: Option, split: Split) -> tuple[ContractTerms, ContractTerms, Decimal]:
    """The old series' last version, the new series' first one, and new contracts per old contract.

    A whole split divides the strike (to the cent) and multiplies the contracts. Any other one keeps strike
    and count and changes the deliverable, under a root with a digit that only the exchange's notice can tell:
    until it does, the old root stands. Both come out adjusted and unconfirmed.
    """
    if option.symbol != split.symbol:
        raise InvalidFieldError("split", f"a split of {option.symbol}", split.symbol)
    ratio = Decimal(split.numerator) / split.denominator
    reason = f"{split.numerator}-for-{split.denominator} split of {split.symbol}"
    old = ContractTerms(
        option=option,
        valid_from=KNOWN_FROM,
        valid_to=split.effective,
        deliverables=(Deliverable(option.symbol, Decimal(option.multiplier)),),
    )
    strike, units, count = option.strike, Decimal(option.multiplier) * ratio, Decimal(1)
    if split.is_whole:
        strike = (option.strike / ratio).quantize(STRIKE_TICK, rounding=ROUND_HALF_UP)
        units, count = Decimal(option.multiplier), ratio
    new = ContractTerms(
        option=replace(option, strike=strike),
        valid_from=split.effective,
        deliverables=(Deliverable(option.symbol, units),),
        adjusted=True,
        replaces=option.instrument_id,
        reason=reason,
    )
    return old, new, count


def _add(
    versions: dict[str, tuple[ContractTerms, ...]], conids: dict[int, str], version: ContractTerms
) -> None:
    name = version.option.instrument_id
    kept = []
    for row in versions.get(name, ()):
        if row.valid_from > version.valid_from:
            raise InvalidFieldError("valid_from", f"{row.valid_from} or later", version.valid_from)
        if row.valid_from < version.valid_from:
            ends = row.holds_on(version.valid_from)
            kept.append(replace(row, valid_to=version.valid_from) if ends else row)
    versions[name] = (*kept, version)
    if version.option.conid is not None:
        conids[version.option.conid] = name
