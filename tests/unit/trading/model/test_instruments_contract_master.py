"""The contract master knows what a contract delivers, and keeps adjusted ones out until confirmed."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from trading.errors import InvalidFieldError
from trading.model.contract_master import ContractMaster, ContractTerms, Split, looks_adjusted, split_contract
from trading.model.instruments import Option

SPLIT_DAY = date(2014, 6, 9)
APPLE = Option.from_occ("AAPL  150117C00650000")
SEVEN = Split(symbol="AAPL", effective=SPLIT_DAY, numerator=7)


def test_whole_split_divides_the_strike_to_the_cent() -> None:
    """AAPL 650 became 92.86 in the 7-for-1 split, with seven contracts for one of 100 shares each."""
    old, new, count = split_contract(APPLE, SEVEN)
    assert new.option.instrument_id == "OPT:AAPL  150117C00092860"
    assert (count, new.deliverables[0].units) == (7, 100)
    assert old.valid_to == new.valid_from == SPLIT_DAY


def test_uneven_split_changes_the_deliverable() -> None:
    """Three for two leaves strike and count and delivers 150 shares."""
    split = Split(symbol="AAPL", effective=SPLIT_DAY, numerator=3, denominator=2)
    _, new, count = split_contract(APPLE, split)
    assert (new.option, count, new.deliverables[0].units) == (APPLE, 1, 150)


def test_adjusted_contract_is_left_out_until_confirmed() -> None:
    """Between the split and a person's word the new series counts nowhere; the old one never again."""
    old, new, _ = split_contract(APPLE, SEVEN)
    master = ContractMaster.of([new, old])
    before = SPLIT_DAY - timedelta(days=1)
    assert master.is_usable(APPLE, before)
    assert not master.is_usable(APPLE, SPLIT_DAY)
    assert not master.is_usable(new.option, SPLIT_DAY)
    confirmed = master.with_version(replace(new, confirmed=True))
    assert confirmed.is_usable(new.option, SPLIT_DAY)
    assert not master.is_usable(new.option, SPLIT_DAY), "the old master is a value and does not change"


def test_new_version_ends_the_open_one() -> None:
    """Versions of one contract follow each other without gap or overlap."""
    first = ContractTerms(option=APPLE, valid_from=date(2014, 1, 1))
    second = ContractTerms(option=APPLE, valid_from=SPLIT_DAY, adjusted=True)
    master = ContractMaster().with_version(first).with_version(second)
    assert master.terms_on(APPLE, date(2014, 6, 8)) == replace(first, valid_to=SPLIT_DAY)
    assert master.terms_on(APPLE, SPLIT_DAY) == second
    assert master.terms_on(APPLE, date(2013, 12, 31)) is None
    with pytest.raises(InvalidFieldError, match="valid_from"):
        master.with_version(first)


def test_lookup_by_the_brokers_id() -> None:
    """The conId finds the version in force."""
    known = replace(APPLE, conid=77)
    master = ContractMaster().with_version(ContractTerms(option=known, valid_from=date(2014, 1, 1)))
    found = master.by_conid(77, SPLIT_DAY)
    assert found is not None
    assert found.option.conid == 77
    assert master.by_conid(78, SPLIT_DAY) is None
    assert master.by_conid(77, date(2013, 1, 1)) is None


def test_unknown_contract_counts_unless_it_looks_adjusted() -> None:
    """A root with a digit is an adjusted series even when nobody told us."""
    assert ContractMaster().is_usable(APPLE, SPLIT_DAY)
    odd = Option.from_occ("AAPL7 150117C00650000")
    assert looks_adjusted(odd)
    assert not ContractMaster().is_usable(odd, SPLIT_DAY)


@pytest.mark.parametrize(("numerator", "denominator"), [(0, 1), (1, 0), (-7, 1), (2, 2)])
def test_a_split_that_divides_nothing_is_refused(numerator: int, denominator: int) -> None:
    """Two for two, or a negative share, is no split."""
    with pytest.raises(InvalidFieldError, match="split"):
        Split(symbol="AAPL", effective=SPLIT_DAY, numerator=numerator, denominator=denominator)


def test_split_of_another_share_is_refused() -> None:
    """A GOOG split says nothing about an AAPL contract."""
    with pytest.raises(InvalidFieldError, match="GOOG"):
        split_contract(APPLE, replace(SEVEN, symbol="GOOG"))
