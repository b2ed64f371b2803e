"""Answers of the Flex Web Service that are broken in any way: an error of ours, never another one."""

import random

import pytest
from flex_documents import document, section, statement, trade

from adapters.ibkr.flex_answer import (
    BrokenAnswerError,
    WrongQueryError,
    is_envelope,
    read_envelope,
    read_statement,
)
from trading.ports.statement_source import StatementQuery

STATEMENT = document(statement(section("Trades", trade())))
SUCCESS = (
    b"<?xml version='1.0' encoding='UTF-8'?>\n<FlexStatementResponse timestamp='21 November, 2026'>"
    b"<Status>Success</Status><ReferenceCode>8936364590</ReferenceCode>"
    b"<Url>https://gdcdyn.interactivebrokers.com/AccountManagement/FlexWebService/GetStatement</Url>"
    b"</FlexStatementResponse>"
)
PIECES = (
    b"<", b">", b"/>", b"&", b"&#0;", b"]]>", b"<!--", b"\x00", b"\xff", b'"', b"'", b"=", b"9" * 400,
    b"</FlexStatement>", b"<FlexStatement>", b"<!DOCTYPE x>", b"encoding='latin-9000'", b"count='1'",
    b"\xef\xbb\xbf",
)  # fmt: skip
ROUNDS = 1500


def read(body: bytes) -> object:
    """What the client does with a body."""
    if is_envelope(body):
        return read_envelope(body)
    return read_statement(StatementQuery.ACTIVITY, body)


def spoiled(body: bytes, chance: random.Random) -> bytes:
    """Cut, doubled, swapped, or with something put in, up to three times."""
    for _ in range(chance.randrange(1, 4)):
        place, other = sorted(chance.randrange(len(body) + 1) for _ in range(2))
        body = chance.choice(
            (
                body[:place],
                body[place:],
                body[:place] + body[other:],
                body[:other] + body[place:],
                body[:place] + chance.choice(PIECES) + body[place:],
                body[:place] + bytes([chance.randrange(256)]) + body[place + 1 :],
            )
        )
    return body


@pytest.mark.parametrize("whole", [STATEMENT, SUCCESS], ids=["statement", "envelope"])
def test_a_spoiled_answer_is_refused_or_read_and_nothing_else(whole: bytes) -> None:
    """Whatever happens to its bytes, only the two errors that the client knows come out."""
    chance = random.Random(len(whole))
    refused = 0
    for _ in range(ROUNDS):
        try:
            read(spoiled(whole, chance))
        except (BrokenAnswerError, WrongQueryError):
            refused += 1
    assert ROUNDS // 2 < refused < ROUNDS
    assert read(whole)


@pytest.mark.parametrize("length", range(0, len(SUCCESS), 7))
def test_every_beginning_of_an_envelope_is_broken(length: int) -> None:
    """No prefix passes for the whole."""
    with pytest.raises(BrokenAnswerError):
        read(SUCCESS[:length])


def test_every_beginning_of_a_statement_is_broken() -> None:
    """A file that ends anywhere before its last byte is no statement."""
    for length in range(len(STATEMENT)):
        with pytest.raises(BrokenAnswerError):
            read(STATEMENT[:length])
