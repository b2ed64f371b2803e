"""Two small accounts elsewhere: Kraken Futures and Kalshi, as exports of their REST answers about fills, and
about positions on the morning after.

A handful of fills a session, with equal fills in one millisecond, and each export tells the session before
again, as a person's exports do. These venues name no account in a fill: the folder in the inbox does. Their
P&L is not in the journal, which is the broker's; their fills are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from simulation.sample_desk.contracts import plain
from simulation.sample_desk.journal import moment_text
from simulation.sample_desk.venue_positions import Holdings
from trading.calendar import TradingCalendar

KRAKEN, KALSHI = "kraken", "kalshi"
ACCOUNTS = {KRAKEN: "kraken-main", KALSHI: "kalshi-main"}
FILLS_LEAST, FILLS_MOST = 3, 5
EQUAL_PERCENT = 30  # of the fills have a twin in the same millisecond
TRADING_SECONDS = 6 * 3600
BITCOIN_START, ETHER_START = 224_310, 7_830  # in half dollars
COIN_MOVE = 900
KRAKEN_FEE = Decimal("0.0005")
COIN_PLACES = Decimal("0.00000001")
KALSHI_FEE = Decimal("0.07")  # of count x price x (1 - price)
FEE_PLACES = Decimal("0.0001")


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueFill:
    """A fill in the venue's shape (`told`) and in the journal's (`true`)."""

    told: Mapping[str, str | Decimal | bool]
    true: Mapping[str, Any]


Export = tuple[dict[str, Any], str]


def venue_exports(
    seed: int, sessions: Sequence[date], calendar: TradingCalendar
) -> tuple[list[Export], list[dict[str, Any]]]:
    """Files (description and text) of both venues, and the journal's rows of their fills."""
    rng = Random(f"venues {seed}")
    files: list[Export] = []
    rows: list[dict[str, Any]] = []
    before: dict[str, list[VenueFill]] = {KRAKEN: [], KALSHI: []}
    holdings = {venue: Holdings(venue) for venue in before}
    for session in sessions:
        opens = calendar.session_open(session)
        drawn = {KRAKEN: _kraken_fills(rng, session, opens), KALSHI: _kalshi_fills(rng, session, opens)}
        for venue, fills in drawn.items():
            files.append(_export(venue, session, [*before[venue], *fills]))
            holdings[venue].take([fill.true for fill in fills])
            text = holdings[venue].answer(session)
            files.append((_description(venue, session, "positions", 0), text))
            rows += [dict(fill.true) for fill in fills]
        before = drawn
    return files, rows


def _export(venue: str, session: date, fills: Sequence[VenueFill]) -> Export:
    told = ",\n".join(f"  {_json_object(fill.told)}" for fill in fills)
    if venue == KRAKEN:
        head = f'"result": "success",\n"serverTime": "{session}T21:00:00.000Z"'
    else:
        head = '"cursor": ""'
    description = _description(venue, session, "fills", len(fills))
    return description, f'{{\n{head},\n"fills": [\n{told}\n]\n}}\n'


def _description(venue: str, session: date, about: str, trade_rows: int) -> dict[str, Any]:
    account = ACCOUNTS[venue]
    return {
        "name": f"{account}/{account}_{session:%Y%m%d}_{about}.json",
        "account": account,
        "session": session.isoformat(),
        "source": "backfill" if about == "fills" else about,
        "trade_rows": trade_rows,
    }


def _json_object(row: Mapping[str, str | Decimal | bool]) -> str:
    """Numbers as the venue prints them; no text of ours needs an escape."""
    return "{" + ", ".join(f'"{name}": {_json_value(value)}' for name, value in row.items()) + "}"


def _json_value(value: str | Decimal | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else plain(value)


def _moments(rng: Random, opens: datetime) -> list[datetime]:
    """Times of a session's fills; a twin has the time of its elder."""
    moments: list[datetime] = []
    for _ in range(rng.randint(FILLS_LEAST, FILLS_MOST)):
        moments.append(opens + timedelta(milliseconds=rng.randint(0, TRADING_SECONDS * 1000)))
        if rng.randrange(100) < EQUAL_PERCENT:
            moments.append(moments[-1])
    return moments


def _kraken_fills(rng: Random, session: date, opens: datetime) -> list[VenueFill]:
    fills: list[VenueFill] = []
    for moment in _moments(rng, opens):
        twin = bool(fills) and fills[-1].true["fill_ts"] == moment_text(moment)
        again = fills[-1].told if twin else _kraken_order(rng)
        fills.append(_kraken_fill(rng, session, moment, again))
    return fills


def _kraken_order(rng: Random) -> Mapping[str, str | Decimal | bool]:
    inverse = rng.randrange(100) < 60
    start = BITCOIN_START if inverse else ETHER_START
    price = Decimal(start + rng.randint(-COIN_MOVE, COIN_MOVE)) / 2
    size = Decimal(rng.randint(1, 20) * 100) if inverse else Decimal(rng.randint(1, 40)) / 10
    worth = size / price if inverse else size * price
    return {
        "symbol": "PI_XBTUSD" if inverse else "PF_ETHUSD",
        "side": rng.choice(("buy", "sell")),
        "order_id": _uuid(rng),
        "size": size,
        "price": price,
        "fillType": rng.choice(("maker", "taker")),
        "fee_paid": (worth * KRAKEN_FEE).quantize(COIN_PLACES),
        "fee_currency": "BTC" if inverse else "USD",
    }


def _kraken_fill(
    rng: Random, session: date, moment: datetime, order: Mapping[str, str | Decimal | bool]
) -> VenueFill:
    fill_id = _uuid(rng)
    told = {**order, "fill_id": fill_id, "fillTime": _iso(moment)}
    true = {
        "instrument_id": f"PERP:kraken:{order['symbol']}",
        "side": str(order["side"]).upper(),
        "quantity": _text(order["size"]),
        "price": _text(order["price"]),
        "fees": {str(order["fee_currency"]): _text(order["fee_paid"])},
    }
    return VenueFill(told=told, true=_true(KRAKEN, session, fill_id, moment, true))


def _kalshi_fills(rng: Random, session: date, opens: datetime) -> list[VenueFill]:
    ticker = f"KXINXU-{session:%y%b%d}".upper() + f"H1600-T{6_650 + 25 * rng.randint(0, 6)}"
    fills: list[VenueFill] = []
    for moment in _moments(rng, opens):
        twin = bool(fills) and fills[-1].true["fill_ts"] == moment_text(moment)
        again = fills[-1].told if twin else _kalshi_order(rng, ticker)
        fills.append(_kalshi_fill(rng, session, moment, again))
    return fills


def _kalshi_order(rng: Random, ticker: str) -> Mapping[str, str | Decimal | bool]:
    """Counts may be fractional; both prices are told and add up to one dollar."""
    cents = rng.randint(5, 95)
    count = Decimal(rng.randint(100, 2_500)) / 100
    yes = Decimal(cents) / 100
    return {
        "order_id": _uuid(rng),
        "ticker": ticker,
        "action": rng.choice(("buy", "sell")),
        "side": rng.choice(("yes", "no")),
        "count_fp": f"{count:.2f}",
        "yes_price_dollars": f"{yes:.4f}",
        "no_price_dollars": f"{1 - yes:.4f}",
        "fee_cost": f"{(KALSHI_FEE * count * yes * (1 - yes)).quantize(FEE_PLACES)}",
        "is_taker": rng.randrange(100) < 70,
    }


def _kalshi_fill(
    rng: Random, session: date, moment: datetime, order: Mapping[str, str | Decimal | bool]
) -> VenueFill:
    fill_id = _uuid(rng)
    buys_yes = (order["action"] == "buy") == (order["side"] == "yes")
    true = {
        "instrument_id": f"EVT:kalshi:{order['ticker']}",
        "side": "BUY" if buys_yes else "SELL",
        "quantity": _text(order["count_fp"]),
        "price": _text(order["yes_price_dollars"]),
        "fees": {"USD": _text(order["fee_cost"])},
    }
    told = {**order, "fill_id": fill_id, "trade_id": fill_id, "created_time": _iso(moment)}
    return VenueFill(told=told, true=_true(KALSHI, session, fill_id, moment, true))


def _true(
    venue: str, session: date, fill_id: str, moment: datetime, more: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "venue": venue,
        "account": ACCOUNTS[venue],
        "session": session.isoformat(),
        "fill_id": fill_id,
        "kind": "trade",
        "conid": None,
        "multiplier": "1",
        "currency": "USD",
        "fill_ts": moment_text(moment),
        "busted": False,
        "corrected": False,
        **more,
    }


def _text(value: str | Decimal | bool) -> str:
    return plain(Decimal(str(value)))


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _uuid(rng: Random) -> str:
    digits = f"{rng.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
