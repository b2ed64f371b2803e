"""What the sources say about one account and session, still open to change: here breaks are planted."""

from dataclasses import dataclass, field
from typing import Any

from simulation.sample_desk.activity import ActivityStatement, activity_statement
from simulation.sample_desk.books import Effect
from simulation.sample_desk.confirmation import confirmation_rows, confirmation_xml
from simulation.sample_desk.flex_values import Row
from simulation.sample_desk.live import live_lines, same_day_lines, trade_rows_in
from simulation.sample_desk.market import Market
from simulation.sample_desk.month import Evening


@dataclass(slots=True)
class Sources:
    """The four tellings of one evening.

    untold: fill ids that neither the stream nor the same-day answer has. told_effects: what the desk must
    believe beyond the truth, because the book of record says so.
    """

    evening: Evening
    statement: ActivityStatement
    confirmed: list[Row]
    untold: set[str] = field(default_factory=set)
    told_effects: list[Effect] = field(default_factory=list)

    def statement_row(self, exec_id: str) -> Row:
        """The statement's row of an execution."""
        return next(row for row in self.statement.trades if row.get("ibExecID") == exec_id)

    def confirmed_row(self, exec_id: str) -> Row:
        """The confirmation's row of an execution."""
        return next(row for row in self.confirmed if row["execID"] == exec_id)

    def files(self, seed: int, market: Market, *, again: bool = False) -> list[tuple[dict[str, Any], str]]:
        """Name, source and number of trade rows of each file, with its text.

        again: the Activity statement is downloaded a second time, later; only its time is another.
        """
        live = live_lines(self.evening, seed, self.untold)
        same_day = same_day_lines(self.evening, self.untold)
        confirmation = confirmation_xml(self.evening, market, self.confirmed)
        texts = [
            ("live.jsonl", "live", _text(live), trade_rows_in(live)),
            ("executions.jsonl", "same_day", _text(same_day), trade_rows_in(same_day)),
            ("confirmation.xml", "confirmation", confirmation, len(self.confirmed)),
            ("activity.xml", "statement", self.statement.xml(), len(self.statement.trades)),
        ]
        if again:
            later = self.statement.xml(made_again=True)
            texts.append(("activity_again.xml", "statement", later, len(self.statement.trades)))
        return [
            ({**self._name(suffix), "source": source, "trade_rows": rows}, text)
            for suffix, source, text, rows in texts
        ]

    def _name(self, suffix: str) -> dict[str, Any]:
        account, session = self.evening.account.name, self.evening.session
        return {
            "name": f"{account}_{session:%Y%m%d}_{suffix}",
            "account": account,
            "session": session.isoformat(),
        }


def sources_of(evening: Evening, market: Market) -> Sources:
    """What honest sources say."""
    return Sources(
        evening=evening,
        statement=activity_statement(evening, market),
        confirmed=confirmation_rows(evening, market),
    )


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
