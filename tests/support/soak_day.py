"""The day of the soak: its size, its random faults, its silent moves, and the gateway process that plays it.

`python tests/support/soak_day.py` is the gateway of the stack with a larger plan. It also moves positions
without a word: an execution is taken back (no message says so), or a held option is exercised. Each such move
is a line of `moves.jsonl`, so that a test can ask when the platform noticed.

The day runs at FAST. Around each move it runs at SLOW, which is also the pace that the session is told: there
a broker's minute is six seconds of this machine, and its cadences are a real session's.
"""

import asyncio
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Self

from adapters.configuration import load_settings
from desk.logs import log_to_console
from desk.play_folder import PlayFolder
from desk.residents.gateway import PlayedSession, plan_of, serve
from simulation.broker.model import BrokerSays
from simulation.broker.trader import Draws, SampleTrader
from simulation.faults.random_script import random_script
from simulation.gateway import Gateway
from simulation.market.hours import local
from trading.calendar import TradingCalendar

SCALE_VARIABLE = "DESK_SOAK_SCALE"  # 1 is the whole day; 0.1 is a quick look
SEED = 2026
FAST, SLOW = 100, 10
ACCOUNTS, ORDERS, LARGEST = 2, 880, 120  # of one account; a bracket is one, with three orders
FAULTS, MOVES = 120, 16
MOVES_LEAST = 3
MOVES_NAME = "moves.jsonl"
CASH = Decimal(1_000_000_000)  # margin must not refuse what a large day needs
OPENED_FOR, LEFT_FOR = timedelta(minutes=15), timedelta(minutes=10)  # no move before and after
LEAD, LOOK = timedelta(seconds=20), timedelta(seconds=70)  # the slow window around a move
LINK_BACK_IN = timedelta(minutes=10)  # a lost link is back, and all is told again, before a move
SETTLED = timedelta(minutes=4)  # an execution of that age has been told, whatever the faults
SILENT_LINK = ("drop link", "lose broker", "restart gateway", "split writes")
NO_FEES = "no commissions"
NOT_DRAWN = ("bust last execution",)  # the moves do it, and note of which contract


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What is played when; the same scale and session give the same day."""

    scale: float
    session: date

    @classmethod
    def of(cls, session: date) -> Self:
        """As large as the environment asks for."""
        scale = float(os.environ.get(SCALE_VARIABLE, "1"))
        if not 0 < scale <= 1:
            raise ValueError(f"{SCALE_VARIABLE}: expected more than 0, at most 1, was {scale}")
        return cls(scale=scale, session=session)

    @property
    def opens(self) -> datetime:
        """When trading begins."""
        return TradingCalendar().session_open(self.session)

    @property
    def ends(self) -> datetime:
        """When trading ends and what is left of the session is skipped; the close of a whole day."""
        return self.opens + (TradingCalendar().session_close(self.session) - self.opens) * self.scale

    @property
    def quarter(self) -> timedelta:
        """How often memory is measured."""
        return timedelta(minutes=15) * self.scale

    @property
    def moves(self) -> Sequence[datetime]:
        """When positions move: one somewhere in each equal part of the day, so that windows do not meet."""
        rng, count = Random(f"moves {SEED}"), max(MOVES_LEAST, int(MOVES * self.scale))
        first, last = self.opens + OPENED_FOR * self.scale, self.ends - LEFT_FOR * self.scale
        part = (last - first) / count
        return [first + part * (place + rng.uniform(0.3, 0.7)) for place in range(count)]

    def faults(self) -> Sequence[str]:
        """The random script's lines, less those that break the link when a move must be noticed."""
        lines = random_script(SEED, self.opens, self.ends, int(FAULTS * self.scale)).splitlines()
        return [line for line in lines if _words(line) not in NOT_DRAWN and not self._is_in_the_way(line)]

    def without_fees(self) -> Sequence[tuple[datetime, datetime]]:
        """When what is executed never gets a commission report."""
        return [self._span(line) for line in self.faults() if _words(line) == NO_FEES]

    @property
    def corrects_without_fees(self) -> bool:
        """Whether an execution is corrected while no reports are sent: then its new fee is never told."""
        fixes = [self._span(line)[0] for line in self.faults() if _words(line).startswith("correct")]
        return any(first <= at <= last for at in fixes for first, last in self.without_fees())

    def _is_in_the_way(self, line: str) -> bool:
        starts, ends = self._span(line)
        breaks = _words(line).startswith(SILENT_LINK)
        return breaks and any(starts < at + LOOK and at < ends + LINK_BACK_IN for at in self.moves)

    def _span(self, line: str) -> tuple[datetime, datetime]:
        words = line.split()
        times = [words[1], words[3]] if words[0] == "from" else [words[1]] * 2
        first, last = (local(self.session, datetime.strptime(word, "%H:%M:%S").time()) for word in times)
        return first, last


def _words(line: str) -> str:
    return line.partition(" on ")[2].partition(" ")[2]


@dataclass(slots=True, kw_only=True)
class DayTrader(SampleTrader):
    """The sample trader, who goes home when a scaled day ends."""

    until: datetime

    def _note(self, at: datetime, account: str, session: date, draws: Draws) -> None:
        if at < self.until:
            SampleTrader._note(self, at, account, session, draws)


class SilentMoves:
    """Asked at each step of the world: the pace, the moves that are due, the end of a scaled day."""

    def __init__(self, gateway: Gateway, day: Day, file: Path, ends_at: datetime) -> None:
        self._gateway, self._day, self._file, self._ends_at = gateway, day, file, ends_at
        self._slow = [(at - LEAD, at + LOOK) for at in day.moves]
        self._due = list(day.moves)
        self._moved: set[tuple[str, int]] = set()
        self._rng = Random(f"what moves {SEED}")

    def __call__(self, now: datetime) -> Sequence[BrokerSays]:
        """What a gateway calls before it lets the world go on."""
        clock, day = self._gateway.clock, self._day
        wanted = float(SLOW if any(first <= now <= last for first, last in self._slow) else FAST)
        if clock.speed != wanted:
            clock.set_speed(wanted)
        if self._due and self._due[0] <= now:
            self._due.pop(0)
            self._move(now)
        if day.scale < 1 and day.ends <= now < self._ends_at:
            clock.jump(self._ends_at)
        return []

    def _move(self, now: datetime) -> None:
        """Three of four moves are busts, which nothing explains; the fourth is an exercise."""
        broker, is_bust = self._gateway.broker, len(self._moved) % 4 != 3
        candidates = list(self._executions(now) if is_bust else self._holdings())
        if not candidates:
            raise ValueError(f"moves: expected something to move at {now}, was nothing")
        account, conid, exec_id = self._rng.choice(candidates)
        self._moved.add((account, conid))
        began = time.time()
        if is_bust:
            broker.bust(exec_id, now)
        else:
            broker.move_position_silently(account, conid, None, now)
        kind = "bust" if is_bust else "exercise"
        self._note(kind=kind, account=account, conid=conid, at=now.isoformat(), wall=began)

    def _executions(self, now: datetime) -> Iterator[tuple[str, int, str]]:
        broker = self._gateway.broker
        busy = self._busy()
        for told in broker.executed.told:
            seen = told.execution
            key = (seen.account, seen.contract.conid)
            if seen.is_combination or seen.at > now - SETTLED or key in busy:
                continue
            trade, _ = broker.executed.find(seen.exec_id)
            if not trade.busted and trade.last.exec_id == seen.exec_id:
                yield *key, seen.exec_id

    def _holdings(self) -> Iterator[tuple[str, int, str]]:
        busy = self._busy()
        for account, ledger in self._gateway.broker.ledgers.items():
            for contract, _, _ in ledger.holdings():
                if contract.asset == "OPT" and (account, contract.conid) not in busy:
                    yield account, contract.conid, ""

    def _busy(self) -> set[tuple[str, int]]:
        """Accounts and contracts that moved before, or have an order that may be filled in a moment."""
        return self._moved | {
            (order.ticket.account, part.contract.conid)
            for order in self._gateway.broker.register.live()
            for part in order.parts
        }

    def _note(self, **line: Any) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def read_moves(folder: PlayFolder) -> Iterable[dict[str, Any]]:
    """The moves that were made, in their order."""
    lines = (folder.folder / MOVES_NAME).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def main() -> int:
    """Play until a signal comes."""
    log_to_console(logging.INFO)
    settings = load_settings()
    folder = PlayFolder.of(settings)
    folder.make()
    day = Day.of(folder.session)
    plan = replace(
        plan_of(settings, folder),
        accounts=ACCOUNTS, sessions=2, orders=0, cash=CASH,
    )  # fmt: skip
    session = PlayedSession(settings, folder, plan)
    gateway = session.gateway
    trader = DayTrader(
        broker=gateway.broker, accounts=list(gateway.broker.ledgers), client_id=settings.broker.client_id,
        orders=ORDERS, largest=LARGEST, until=day.ends,
    )  # fmt: skip
    trader.schedule(folder.session)
    moves = SilentMoves(gateway, day, folder.folder / MOVES_NAME, folder.ends_at - timedelta(minutes=1))
    gateway.server.before_advance.append(moves)
    asyncio.run(serve(session, lambda _: None))
    if gateway.server.failure is None:
        return 0
    print("".join(traceback.format_exception(gateway.server.failure)), file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
