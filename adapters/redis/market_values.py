"""Market rows as JSON and back: one object for a live value, columns for a block on its way to the warehouse.

Prices and sizes are strings in one form, times ISO with their zone, a schema version in each. A block is a
table: `same` holds what all rows share, `columns` the rest, and what is nowhere is None; so a block of
quotes costs a third of its rows as objects. What cannot be read raises InvalidFieldError.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass
from typing import Any

from adapters.redis.columns import (
    Column,
    Row,
    columns_of,
    made,
    moment_of,
    number_of,
    number_text,
    rows_of_table,
    table_of,
)
from adapters.redis.json_texts import FAULTS, printed, read, text_of
from trading.errors import InvalidFieldError
from trading.model.instruments import Right
from trading.model.market import (
    ROW_TYPES,
    ChainContract,
    ChainSnapshot,
    MarketBlock,
    MarketKind,
    OptionGreeks,
)

VERSION = 1
OWN_TIMES = frozenset({"at", "said_at"})
BLOCK_BYTES_MAX = 16 * 1024 * 1024  # a chain of 20,000 contracts with greeks has a third of it


def block_text(block: MarketBlock) -> bytes:
    """Print a block; refuses numbers that are none, and what is too long."""
    document = {
        "v": VERSION,
        "ts": block.heard_at,
        "kind": block.kind.value,
        "symbol": block.symbol,
        "source": block.source,
        **table_of(ROW_TYPES[block.kind], block.rows),
    }
    return _printed("block", document)


def block_of(text: bytes) -> MarketBlock:
    """Read a block."""
    try:
        told = read(text)
        kind = MarketKind(told["kind"])
        return MarketBlock(
            kind=kind,
            symbol=text_of(told["symbol"]),
            source=text_of(told["source"]),
            heard_at=moment_of(told["ts"]),
            rows=tuple(rows_of_table(ROW_TYPES[kind], told)),
        )
    except FAULTS as cause:
        raise InvalidFieldError("block", "a block of market rows as JSON", text) from cause


def row_texts(row_type: type[Row], rows: Sequence[Row]) -> list[bytes]:
    """Print rows as one object each; `ts` is the row's own time."""
    columns = columns_of(row_type)
    written = [column.write([getattr(row, column.name) for row in rows]) for column in columns]
    names = [_shown(column.name) for column in columns]
    return [
        _printed(row_type.__name__, {"v": VERSION, **dict(zip(names, cells, strict=True))})
        for cells in zip(*written, strict=True)
    ]


def row_text(row: Any) -> bytes:
    """Print one row as an object."""
    return row_texts(type(row), [row])[0]


def rows_of(row_type: type[Row], texts: Iterable[bytes]) -> list[Row]:
    """Read rows that were printed as objects."""
    try:
        told = [read(text) for text in texts]
        columns = {column.name: _cells(column, told) for column in columns_of(row_type)}
        return made(row_type, columns, len(told))
    except FAULTS as cause:
        raise InvalidFieldError(row_type.__name__, "rows as JSON objects", "other texts") from cause


def _cells(column: Column, told: Sequence[dict[str, Any]]) -> list[Any]:
    """A field that an older writer did not know has its default."""
    name = _shown(column.name)
    try:
        return column.read([one[name] for one in told])
    except KeyError:
        if column.absent is MISSING:
            raise
    return [column.read([one[name]])[0] if name in one else column.absent for one in told]


def _shown(name: str) -> str:
    """The name of a field in a live value: the row's own time is `ts` in all of them."""
    return "ts" if name in OWN_TIMES else name


def row_of(row_type: type[Row], text: bytes | None) -> Row | None:
    """Read one row; no text is no row."""
    return None if text is None else rows_of(row_type, [text])[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainTexts:
    """A chain as three values: its head with counts, its calls, its puts."""

    head: bytes
    calls: bytes
    puts: bytes


def chain_texts(chain: ChainSnapshot, counts: Mapping[str, object]) -> ChainTexts:
    """Print a chain."""
    head = {
        "v": VERSION,
        "ts": chain.at,
        "symbol": chain.symbol,
        "source": chain.source,
        "spot": None if chain.spot is None else number_text(chain.spot),
        "listed": chain.listed,
        "watched": chain.watched,
        "counts": dict(counts),
    }
    return ChainTexts(
        head=_printed("chain", head), calls=_side_text(chain, Right.CALL), puts=_side_text(chain, Right.PUT)
    )


def chain_of(head: bytes | None, calls: bytes | None, puts: bytes | None) -> ChainSnapshot | None:
    """Read a chain, its calls first; None where one of its values is gone."""
    if head is None or calls is None or puts is None:
        return None
    try:
        told = read(head)
        contracts = [
            contract for side in (calls, puts) for contract in rows_of_table(ChainContract, read(side))
        ]
        return ChainSnapshot(
            symbol=text_of(told["symbol"]),
            at=moment_of(told["ts"]),
            source=text_of(told["source"]),
            spot=None if told["spot"] is None else number_of(told["spot"]),
            contracts=tuple(contracts),
            listed=told["listed"],
            watched=told.get("watched"),
        )
    except FAULTS as cause:
        raise InvalidFieldError("chain", "a chain as JSON", head) from cause


def greeks_texts(contracts: Sequence[ChainContract]) -> list[bytes]:
    """Print the greeks of contracts that have them, one object each."""
    columns = columns_of(OptionGreeks)
    there = [contract.greeks for contract in contracts]
    written = [column.write([getattr(greeks, column.name) for greeks in there]) for column in columns]
    names = [_shown(column.name) for column in columns]
    return [
        _printed(
            "greeks", {"v": VERSION, "symbol": contract.option.symbol, **dict(zip(names, cells, strict=True))}
        )
        for contract, *cells in zip(contracts, *written, strict=True)
    ]


def document_text(field: str, document: Mapping[str, object]) -> bytes:
    """Print any other document, with its version."""
    return _printed(field, {"v": VERSION, **document})


def _side_text(chain: ChainSnapshot, right: Right) -> bytes:
    side = [contract for contract in chain.contracts if contract.option.right is right]
    return _printed("chain", {"v": VERSION, "ts": chain.at, **table_of(ChainContract, side)})


def _printed(field: str, document: Mapping[str, object]) -> bytes:
    return printed(field, document, BLOCK_BYTES_MAX)
