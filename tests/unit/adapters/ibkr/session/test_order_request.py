"""What may be ordered at all."""

from typing import Any

import pytest

from adapters.ibkr.session.order_request import order_request
from trading.errors import InvalidFieldError

OPTION = {
    "account": "DU1",
    "conid": 810_000_001,
    "sec_type": "OPT",
    "instrument_id": "OPT:SPY   261113C00670000",
    "side": "BUY",
    "quantity": "2",
    "order_type": "LMT",
    "limit_price": "1.25",
    "order_ref": "r",
}
FUTURE = OPTION | {"sec_type": "FUT", "instrument_id": "FUT:CME:ESZ6", "exchange": "CME"}


@pytest.mark.parametrize("payload", [OPTION, FUTURE, OPTION | {"sec_type": "FOP"}])
def test_options_and_futures_may_be_ordered(payload: dict[str, Any]) -> None:
    """The three kinds of contract that this platform orders."""
    assert order_request(payload).sec_type == payload["sec_type"]


@pytest.mark.parametrize(
    "sec_type", ["STK", "ETF", "FUND", "WAR", "CASH", "BOND", "CFD", "CRYPTO", "BAG", "", "opt"]
)
def test_no_other_kind_may_be_ordered(sec_type: str) -> None:
    """Shares least of all, and nothing that merely is not listed."""
    with pytest.raises(InvalidFieldError, match="sec_type"):
        order_request(OPTION | {"sec_type": sec_type})


@pytest.mark.parametrize("name", ["STK:756733", "STK:SPY", "SPY", "FX:EUR.USD", "FUT:CME:ESZ6"])
def test_a_name_of_another_kind_is_refused(name: str) -> None:
    """Type and name must say the same."""
    with pytest.raises(InvalidFieldError, match="instrument_id"):
        order_request(OPTION | {"instrument_id": name})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "-1"}, "quantity"),
        ({"quantity": "1.5"}, "quantity"),
        ({"quantity": 2.0}, "quantity"),
        ({"quantity": "NaN"}, "quantity"),
        ({"side": "SSHORT"}, "side"),
        ({"conid": 0}, "conid"),
        ({"limit_price": None}, "limit_price"),
        ({"limit_price": 1.25}, "limit_price"),
        ({"order_type": "MKT"}, "limit_price"),
        ({"order_type": "STP"}, "limit_price"),
        ({"order_type": "STP LMT"}, "stop_price"),
        ({"order_type": "TRAIL", "limit_price": None}, "trailing_percent"),
        ({"order_type": "PEG BENCH"}, "order_type"),
        ({"oca_group": "g", "oca_type": 3}, "oca_type"),
        ({"oca_group": "g"}, "oca_type"),
        ({"order_ref": " "}, "order_ref"),
        ({"order_ref": "a\0b"}, "order_ref"),
        ({"order_ref": "x" * 129}, "order_ref"),
        ({"account": ""}, "account"),
        ({"transmit": "yes"}, "transmit"),
        ({"time_in_force": "FOREVER"}, "time_in_force"),
        ({"what_if": True}, "what_if"),
    ],
)
def test_what_is_not_an_order_is_refused_by_its_field(changes: dict[str, Any], field: str) -> None:
    """Nothing is guessed, nothing is ignored, and no float becomes money."""
    with pytest.raises(InvalidFieldError) as refusal:
        order_request(OPTION | changes)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    "missing", ["account", "conid", "sec_type", "instrument_id", "side", "quantity", "order_ref"]
)
def test_what_an_order_needs_has_no_default(missing: str) -> None:
    """Account, contract, side, quantity and order_ref must be said."""
    with pytest.raises(InvalidFieldError, match=missing):
        order_request({name: value for name, value in OPTION.items() if name != missing})
