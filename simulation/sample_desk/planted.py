"""Breaks planted on purpose, each in one source, each with every break that must be found because of it.

A figure is changed where a real mistake would sit, and chosen so that the list of consequences is complete
and short: what the statement says wrongly spreads into cash and positions, what the confirmation says
wrongly does not, since the statement has the last word. `difference` is ours minus the statement's, in the
unit of its kind; an `explained` break is one whose cause follows from the sources themselves (a fill that
only the statement has is back-filled).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

from simulation.sample_desk.books import Book, Effect
from simulation.sample_desk.contracts import plain
from simulation.sample_desk.flex_values import Row, money
from simulation.sample_desk.month import Month
from simulation.sample_desk.sources import Sources
from simulation.sample_desk.trades import Trade, TradeKind

CENT = Decimal("0.01")
WRONG_MULTIPLIER = 10
CASH_GAP = Decimal("250.25")
FOREIGN_QUANTITY = 3
FOREIGN_CONID = 799_000_123
TRADE_STEP = 7  # the doubled fill's numbers lie just behind the original's
OPEN, EXPLAINED = "open", "explained"

BySession = Mapping[tuple[str, date], Sources]
Found = dict[str, Any]


@dataclass(slots=True)
class Planter:
    """Plants breaks in the sources and remembers which contracts are taken, so that no two breaks meet."""

    month: Month
    by_session: BySession
    rng: Random
    taken: set[tuple[str, int]] = field(default_factory=set)
    planted: list[Found] = field(default_factory=list)

    def plant(self, name: str, account: int, place: int, change: Callable[[Sources], Found | None]) -> None:
        """Plant one break on the account at this place of the month, else on the next session that has one.

        Places count around the end of the month; a negative one means that session only.
        """
        accounts, sessions = self.month.accounts, self.month.sessions
        first = place % len(sessions)
        own = accounts[account % len(accounts)].name
        later = (*sessions[first:], *sessions[:first]) if place >= 0 else (sessions[place],)
        for session in later:
            told = change(self.by_session[own, session])
            if told is not None:
                row = {"name": name, "account": own, "session": session.isoformat()}
                self.planted.append({**row, **told})
                return

    def choose(self, sources: Sources, wanted: Callable[[Effect], bool]) -> Effect | None:
        """Draw one plain execution of a free contract that nothing else happened to in the same second."""
        fits = [
            effect for effect in sources.evening.effects if self._is_plain(sources, effect) and wanted(effect)
        ]
        if not fits:
            return None
        chosen = self.rng.choice(fits)
        self.taken.add((sources.evening.account.name, chosen.trade.contract.conid))
        return chosen

    def has_cash_break(self, sources: Sources) -> bool:
        """Whether this evening's cash was planted already."""
        account, session = sources.evening.account.name, sources.evening.session.isoformat()
        found = [row for planted in self.planted for row in planted["breaks"] if row["kind"] == "cash"]
        return any((row["account"], row["session"]) == (account, session) for row in found)

    def _is_plain(self, sources: Sources, effect: Effect) -> bool:
        trade = effect.trade
        same_second = [
            other
            for other in sources.evening.trades
            if other.contract.conid == trade.contract.conid and other.executed_at == trade.executed_at
        ]
        return (
            trade.kind is TradeKind.EXECUTION
            and trade.contract.asset == "OPT"
            and not (trade.corrected or trade.busted or trade.order.group)
            and (sources.evening.account.name, trade.contract.conid) not in self.taken
            and len(same_second) == 1
        )


def plant_breaks(month: Month, by_session: BySession) -> tuple[Found, ...]:
    """Plant one break of every sort, spread over accounts and sessions; returns the journal's list."""
    planter = Planter(month=month, by_session=by_session, rng=Random(f"planted {month.seed}"))
    plans: Sequence[tuple[str, int, int, Callable[[Planter, Sources], Found | None]]] = (
        ("one cent in a realized figure", 0, 3, _realized_cent),
        ("a fill that the statement lost", 0, 9, _lost_fill),
        ("one cent in a commission", 1, 5, _commission_cent),
        ("a position that is not ours", 1, 7, _foreign_position),
        ("a fill that only the statement has", 1, 11, _backfill),
        ("a wrong multiplier", 2, 4, _wrong_multiplier),
        ("a rebate with the wrong sign", 2, 8, _rebate_sign),
        ("a cash difference", 2, 12, _cash_gap),
        ("a fill booked twice", 0, -1, _doubled_fill),
    )
    for name, account, place, change in plans:
        planter.plant(name, account, place, lambda sources, change=change: change(planter, sources))  # type: ignore[misc]
    return tuple(planter.planted)


def _realized_cent(planter: Planter, sources: Sources) -> Found | None:
    effect = planter.choose(sources, lambda item: bool(item.closed and not item.opened))
    if effect is None:
        return None
    row = sources.statement_row(effect.trade.last.exec_id)
    row["fifoPnlRealized"] = money(Decimal(row["fifoPnlRealized"]) + CENT)
    return _told("activity", "fifoPnlRealized of one closing is one cent more", effect.trade, realized=-CENT)


def _lost_fill(planter: Planter, sources: Sources) -> Found | None:
    effect = planter.choose(sources, lambda item: bool(item.opened and not item.closed))
    if effect is None:
        return None
    sources.statement.trades.remove(sources.statement_row(effect.trade.last.exec_id))
    what = "a fill of the stream and the confirmation has no row, though position and cash include it"
    return _told("activity", what, effect.trade, extra_fill=effect.trade.signed_quantity)


def _commission_cent(planter: Planter, sources: Sources) -> Found | None:
    effect = planter.choose(sources, lambda item: item.trade.fee > CENT)
    if effect is None:
        return None
    row = sources.confirmed_row(effect.trade.last.exec_id)
    row["commission"] = money(Decimal(row["commission"]) - CENT)
    return _told(
        "confirmation", "the commission is one cent more than in the statement", effect.trade, commission=CENT
    )


def _rebate_sign(planter: Planter, sources: Sources) -> Found | None:
    effect = planter.choose(sources, lambda item: item.trade.fee <= -CENT)
    if effect is None:
        return None
    row = sources.confirmed_row(effect.trade.last.exec_id)
    row["commission"] = money(-Decimal(row["commission"]))
    what = "a rebate is shown as a cost"
    return _told("confirmation", what, effect.trade, commission=-2 * effect.trade.fee)


def _wrong_multiplier(planter: Planter, sources: Sources) -> Found | None:
    effect = planter.choose(sources, lambda item: True)
    if effect is None:
        return None
    sources.confirmed_row(effect.trade.last.exec_id)["multiplier"] = str(WRONG_MULTIPLIER)
    difference = Decimal(WRONG_MULTIPLIER - effect.trade.contract.multiplier)
    what = f"the multiplier of one fill is {WRONG_MULTIPLIER}"
    return _told("confirmation", what, effect.trade, multiplier=difference)


def _backfill(planter: Planter, sources: Sources) -> Found | None:
    effect = planter.choose(sources, lambda item: True)
    if effect is None:
        return None
    sources.confirmed.remove(sources.confirmed_row(effect.trade.last.exec_id))
    sources.untold.add(effect.trade.fill_id)
    what = "no other source has this fill; it is back-filled with its true time"
    found = _told("activity", what, effect.trade, missing_fill=-effect.trade.signed_quantity)
    return {**found, "breaks": [{**row, "state": EXPLAINED} for row in found["breaks"]]}


def _foreign_position(planter: Planter, sources: Sources) -> Found | None:
    """A summary row of a contract that the desk never traded, on this one evening."""
    pattern = next((row for row in sources.statement.positions if row["assetCategory"] == "OPT"), None)
    if pattern is None:
        return None
    symbol = f"{'KO':<6}{pattern['symbol'][6:12]}C00070000"
    foreign: Row = {
        **pattern,
        "symbol": symbol,
        "description": "KO 70 C",
        "conid": str(FOREIGN_CONID),
        "underlyingSymbol": "KO",
        "underlyingConid": "8894",
        "putCall": "C",
        "subCategory": "C",
        "strike": "70",
        "position": str(FOREIGN_QUANTITY),
        "side": "Long",
        "markPrice": "1.25",
        "levelOfDetail": "SUMMARY",
    }
    for name in ("originatingOrderID", "originatingTransactionID", "openDateTime", "holdingPeriodDateTime"):
        foreign.pop(name, None)
    sources.statement.positions.append(foreign)
    found = _break(sources, "position", -Decimal(FOREIGN_QUANTITY), conid=FOREIGN_CONID)
    what = "a position of a contract that was never traded"
    return {"source": "activity", "what": what, "conid": FOREIGN_CONID, "breaks": [found]}


def _cash_gap(planter: Planter, sources: Sources) -> Found | None:
    row = next(row for row in sources.statement.cash if row["currency"] == "USD")
    for name in ("endingCash", "endingCashSec"):
        row[name] = money(Decimal(row[name]) + CASH_GAP)
    found = _break(sources, "cash", -CASH_GAP, currency="USD")
    return {"source": "activity", "what": f"the ending cash is {CASH_GAP} more", "breaks": [found]}


def _doubled_fill(planter: Planter, sources: Sources) -> Found | None:
    """One opening stands twice under two execution ids; positions and cash have it once."""
    evening = sources.evening

    def only_opened(effect: Effect) -> bool:
        conid = effect.trade.contract.conid
        same = [other for other in evening.effects if other.trade.contract.conid == conid]
        return (
            effect.trade.side > 0 and bool(evening.position(conid)) and not any(item.closed for item in same)
        )

    if planter.has_cash_break(sources):
        return None  # two cash breaks of one evening would be one
    effect = planter.choose(sources, only_opened)
    if effect is None:
        return None
    twin = _twin(effect.trade)
    row = sources.statement_row(effect.trade.last.exec_id)
    ids = {
        "tradeID": str(twin.trade_id),
        "transactionID": str(twin.last.transaction_id),
        "ibExecID": twin.last.exec_id,
    }
    sources.statement.trades.append({**row, **ids})
    told = Book(account=twin.account).apply(twin)
    sources.told_effects.append(told)
    quantity = twin.signed_quantity
    breaks = [
        _break(sources, "position", quantity, conid=twin.contract.conid),
        _break(sources, "cash", told.net_cash, currency=twin.contract.currency),
        {**_break(sources, "missing_fill", -quantity, conid=twin.contract.conid), "state": EXPLAINED},
    ]
    what = "one opening stands twice among the trades, and once in positions and cash"
    return {
        "source": "activity",
        "what": what,
        "conid": twin.contract.conid,
        "fill_id": twin.fill_id,
        "breaks": breaks,
    }


def _twin(trade: Trade) -> Trade:
    """The same execution under ids of its own."""
    last = trade.last
    gateway, base, part, revision = last.exec_id.split(".")
    other = f"{gateway}.{int(base, 16) + 2**28:08x}.{part}.{revision}"
    printed = replace(last, exec_id=other, transaction_id=last.transaction_id + TRADE_STEP)
    return replace(trade, prints=(printed,), trade_id=trade.trade_id + TRADE_STEP)


def _told(source: str, what: str, trade: Trade, **differences: Decimal) -> Found:
    breaks: Iterable[Found] = (
        {
            "venue": "ibkr",
            "account": trade.account,
            "session": trade.session.isoformat(),
            "kind": kind,
            "conid": trade.contract.conid,
            "currency": trade.contract.currency,
            "difference": plain(difference),
            "state": OPEN,
        }
        for kind, difference in differences.items()
    )
    ids = {"conid": trade.contract.conid, "fill_id": trade.fill_id}
    return {"source": source, "what": what, **ids, "breaks": list(breaks)}


def _break(
    sources: Sources, kind: str, difference: Decimal, *, conid: int | None = None, currency: str = "USD"
) -> Found:
    return {
        "venue": "ibkr",
        "account": sources.evening.account.name,
        "session": sources.evening.session.isoformat(),
        "kind": kind,
        "conid": conid,
        "currency": currency,
        "difference": plain(difference),
        "state": OPEN,
    }
