"""The table of requests: complete, handled, and each read to its end."""

import pytest

from simulation.tws.dispatch import HANDLERS
from simulation.tws.fields import MalformedRequest
from simulation.tws.place_order import PlaceOrder
from simulation.tws.requests import (
    READERS,
    UnknownRequest,
    account,
    contracts,
    market,
    orders,
    read_request,
    request_id_of,
    services,
    session,
)

CONTRACT = ["265598", "AAPL", "STK", "", "0.0", "", "", "SMART", "", "USD", "", ""]


def test_every_request_that_can_be_read_has_a_handler() -> None:
    """A new reader without a handler would be a request without an answer."""
    modules = (account, contracts, market, orders, services, session)
    values = {
        each
        for module in modules
        for each in vars(module).values()
        if isinstance(each, type) and each.__module__ == module.__name__
    }
    assert values - {session.StartApi} | {PlaceOrder} == set(HANDLERS)


def test_the_table_holds_what_the_platform_and_the_libraries_ask() -> None:
    """The requests of the protocol table, by number."""
    assert {1, 3, 4, 5, 6, 7, 9, 10, 16, 20, 49, 50, 58, 61, 62, 71, 76, 78, 92, 94, 97, 99} <= set(READERS)


@pytest.mark.parametrize(
    ("texts", "read"),
    [
        (["49", "1"], session.CurrentTime()),
        (["4", "1", "12", ""], orders.CancelOrder(12)),
        (["99", "1"], orders.CompletedOrders(True)),
        (["2", "2", "5"], account.CancelSubscription(5, "level1")),
        (["95", "5"], account.CancelSubscription(5, "profit_single")),
        (["62", "1", "3", "All", "A, B,,C"], account.AccountSummary(3, "All", ("A", "B", "C"))),
        (["78", "4", "SPY", "", "STK", "756733"], contracts.Chains(4, "SPY", "", "STK", 756733)),
    ],
)
def test_a_request_is_read_as_a_value(texts: list[str], read: object) -> None:
    """The version number of older messages is passed over."""
    assert read_request(texts, 176) == read


def test_cancelling_has_one_field_more_since_169() -> None:
    """The same message is whole at one version and short at another."""
    assert read_request(["4", "1", "12"], 165) == orders.CancelOrder(12)
    with pytest.raises(MalformedRequest):
        read_request(["4", "1", "12"], 169)
    with pytest.raises(MalformedRequest):
        read_request(["4", "1", "12", ""], 165)


def test_contract_details_have_the_issuer_since_176() -> None:
    """And no version reads the other's message."""
    older = ["9", "8", "1", *CONTRACT, "1", "", ""]
    assert read_request(older, 173).query.include_expired  # type: ignore[attr-defined]
    with pytest.raises(MalformedRequest):
        read_request(older, 176)
    assert read_request([*older, ""], 176) == read_request(older, 173)


def test_what_nobody_asks_is_unknown_by_its_number() -> None:
    """The error names the id."""
    with pytest.raises(UnknownRequest, match="9999"):
        read_request(["9999"], 176)
    with pytest.raises(MalformedRequest, match="message id"):
        read_request(["x"], 176)


@pytest.mark.parametrize(
    ("texts", "answered_as"),
    [
        (["3", "12", "x"], 12),
        (["9", "8", "77"], 77),
        (["97", "5"], 5),
        (["6", "2", "1"], -1),
        (["9"], -1),
        ([], -1),
    ],
)
def test_an_unreadable_request_is_answered_under_its_own_id(texts: list[str], answered_as: int) -> None:
    """As far as it can be told; else under none."""
    assert request_id_of(texts) == answered_as
