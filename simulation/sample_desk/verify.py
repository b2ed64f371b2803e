"""Tell the warehouse's rows from the journal's: which are missing, too many, or different, and in what.

Pure: rows in, differences out. Rows are mappings with the warehouse's column names; values may be Decimal,
text, date or datetime. P&L may differ in the ninth decimal, where two lawful ways of splitting a fee over a
lot round apart; quantities, prices, fees and times may not differ at all.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from simulation.sample_desk.journal import Journal

Row = Mapping[str, Any]
Key = tuple[str, ...]
ROUNDING = Decimal("0.000001")  # of sums of money whose parts were rounded to nine decimals
DIFFERENCES_MOST = 1_000  # listed; a broken engine differs everywhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as the journal has it; `expected` is the journal's, None is a missing row."""

    table: str
    key: Key
    column: str
    expected: str | None
    found: str | None

    def __str__(self) -> str:
        """One line for people."""
        where = " ".join(self.key)
        return f"{self.table} {where}: {self.column}: expected {self.expected}, was {self.found}"


def compare(
    journal: Journal,
    *,
    fills: Iterable[Row] | None = None,
    pnl_daily: Iterable[Row] | None = None,
    cash: Iterable[Row] | None = None,
    breaks: Iterable[Row] | None = None,
) -> tuple[Difference, ...]:
    """Compare whatever is given with the journal; an empty result means that all of it is right.

    fills: core.fills (venue, account, fill_id, quantity, price, fill_ts, side, busted, fees). pnl_daily:
    core.pnl_daily, summed here over strategies. cash: account, session, currency, ending. breaks:
    core.breaks.
    """
    found: list[Difference] = []
    if fills is not None:
        found += compare_fills(journal, fills)
    if pnl_daily is not None:
        found += compare_daily(journal, pnl_daily)
    if cash is not None:
        found += compare_cash(journal, cash)
    if breaks is not None:
        found += compare_breaks(journal, breaks)
    return tuple(found[:DIFFERENCES_MOST])


def compare_fills(journal: Journal, rows: Iterable[Row]) -> list[Difference]:
    """Every fill once, with its final quantity, price, side, time, fees and bust."""
    expected = {_fill_key(row): _fill_values(row) for row in journal.fills}
    return _compare("fills", expected, _unique(rows, _fill_key, _fill_values), Decimal(0))


def compare_daily(journal: Journal, rows: Iterable[Row]) -> list[Difference]:
    """Bought, sold, fees, realized and end position of each account, session and contract of the broker."""
    expected = _daily(journal.pnl_daily)
    found = _daily(row for row in rows if _is_own(journal, str(row["account"])))
    return _compare("pnl_daily", _without_nothing(expected), _without_nothing(found), ROUNDING)


def compare_cash(journal: Journal, rows: Iterable[Row]) -> list[Difference]:
    """Ending cash of each of the broker's accounts, session and currency.

    A ledger has no row where nothing moved: there the evening before still counts.
    """
    found = _cash(rows, "ending")
    expected = _cash(journal.cash, "ending")
    places = {session: place for place, session in enumerate(journal.sessions)}
    for account, session, currency in sorted(expected):
        key = (account, session, currency)
        place = places[session]
        before = (account, journal.sessions[place - 1], currency) if place else None
        if key not in found and before in found:
            found[key] = found[before]
    own = {key: row for key, row in found.items() if key in expected or _is_own(journal, key[0])}
    return _compare("cash", expected, own, ROUNDING)


def _is_own(journal: Journal, account: str) -> bool:
    return any(account == str(row["name"]) for row in journal.accounts)


def compare_breaks(journal: Journal, rows: Iterable[Row]) -> list[Difference]:
    """Exactly the planted breaks, open or explained as the journal says, and no other that is not closed."""
    standing = [row for row in rows if str(row["state"]) != "closed"]
    expected = _unique(journal.expected_breaks, _break_key, _break_values)
    found = _unique(standing, _break_key, _break_values)
    return _compare("breaks", expected, found, ROUNDING)


def number(value: Any) -> Decimal:
    """A number out of a row; None is nothing."""
    return Decimal(0) if value in (None, "") else Decimal(str(value))


def day_text(value: Any) -> str:
    """A session out of a row."""
    return (
        value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else str(value)[:10]
    )


def _compare(
    table: str, expected: Mapping[Key, Row], found: Mapping[Key, Row], tolerance: Decimal
) -> list[Difference]:
    differences = []
    for key in sorted(expected.keys() | found.keys()):
        if key not in found or key not in expected:
            present = key in found
            differences.append(
                Difference(
                    table=table,
                    key=key,
                    column="row",
                    expected=None if present else _line(expected[key]),
                    found=_line(found[key]) if present else None,
                )
            )
            continue
        for column, value in expected[key].items():
            if not _equal(value, found[key].get(column), tolerance):
                was = str(found[key].get(column))
                differences.append(
                    Difference(table=table, key=key, column=column, expected=str(value), found=was)
                )
    return differences


def _equal(expected: Any, found: Any, tolerance: Decimal) -> bool:
    if isinstance(expected, Decimal) and isinstance(found, Decimal):
        return abs(expected - found) <= tolerance
    return bool(expected == found)


def _line(row: Row) -> str:
    return ", ".join(f"{name}={value}" for name, value in row.items())


def _unique(
    rows: Iterable[Row], key_of: Callable[[Row], Key], values_of: Callable[[Row], Row]
) -> dict[Key, Row]:
    """Rows by key; a second row of a key is kept under a key of its own, so that it shows as too many."""
    found: dict[Key, Row] = {}
    for row in rows:
        key = key_of(row)
        while key in found:
            key = (*key, "again")
        found[key] = values_of(row)
    return found


def _fill_key(row: Row) -> Key:
    return (str(row["venue"]), str(row["account"]), str(row["fill_id"]))


def _fill_values(row: Row) -> Row:
    fees = {str(currency): number(amount) for currency, amount in dict(row["fees"]).items()}
    return {
        "quantity": number(row["quantity"]),
        "price": number(row["price"]),
        "side": str(row["side"]),
        "busted": bool(row["busted"]),
        "fill_ts": _moment(row["fill_ts"]),
        "fees": {currency: amount for currency, amount in fees.items() if amount},
    }


def _moment(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _daily(rows: Iterable[Row]) -> dict[Key, dict[str, Decimal]]:
    sums: dict[Key, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in rows:
        key = (str(row["account"]), day_text(row["session"]), str(row["conid"]))
        for column in ("quantity_bought", "quantity_sold", "fees", "realized", "position_end"):
            sums[key][column] += number(row[column])
    return dict(sums)


def _without_nothing(rows: Mapping[Key, dict[str, Decimal]]) -> dict[Key, dict[str, Decimal]]:
    """A row in which nothing happened and nothing is held may be there or not."""
    return {key: row for key, row in rows.items() if any(row.values())}


def _cash(rows: Iterable[Row], column: str) -> dict[Key, Row]:
    return {
        (str(row["account"]), day_text(row["session"]), str(row["currency"])): {column: number(row[column])}
        for row in rows
    }


def _break_values(row: Row) -> Row:
    return {"difference": number(row["difference"]), "state": str(row["state"])}


def _break_key(row: Row) -> Key:
    """A break is about a contract, or about a currency where there is none."""
    about = row.get("conid") or row.get("currency") or ""
    return (str(row["account"]), day_text(row["session"]), str(row["kind"]), str(about))
