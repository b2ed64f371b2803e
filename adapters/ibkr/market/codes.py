"""What each error code does to the line or question that it names: a table, no decisions.

Codes about the connection, its farms and its pace are the same for every session and stand in
`adapters/ibkr/session/codes`; here is what is particular to market data. A code that is not here and ends a
line is tried again later. Source: IBKR, TWS API message codes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class LineAction(StrEnum):
    """What is done."""

    NOTE = "note"  # nothing to do: a notice, or an end that came late
    ASK_DELAYED = "ask_delayed"  # no permission: delayed data are asked for, and marked
    MARK_DELAYED = "mark_delayed"  # the line goes on, delayed
    NO_LINE_LEFT = "no_line_left"  # the login has fewer lines than was configured
    EMPTY_BOOK = "empty_book"  # the book is told anew on the same line
    ASK_AGAIN = "ask_again"  # the line is gone: ask at once
    ASK_LATER = "ask_later"  # too often, or a service is away: ask after a rest
    GIVE_UP = "give_up"  # not before the next session


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReaction:
    """What a code means to a line; `alert`: a person must see it, once an episode."""

    meaning: str
    action: LineAction
    alert: bool = False


def line_reaction(code: int) -> LineReaction:
    """What to do about a code that names a line or a question."""
    return LINE_REACTIONS.get(code, UNKNOWN)


UNKNOWN = LineReaction(meaning="no reaction is defined", action=LineAction.ASK_LATER, alert=True)
LINE_REACTIONS: Mapping[int, LineReaction] = {
    101: LineReaction(meaning="the login has no line left", action=LineAction.NO_LINE_LEFT, alert=True),
    102: LineReaction(meaning="number is in use", action=LineAction.ASK_AGAIN),
    162: LineReaction(meaning="historical data were refused, or came too often", action=LineAction.ASK_LATER),
    200: LineReaction(meaning="no such contract", action=LineAction.GIVE_UP, alert=True),
    300: LineReaction(meaning="the line had ended before", action=LineAction.NOTE),
    309: LineReaction(meaning="the login has no depth line left", action=LineAction.GIVE_UP, alert=True),
    310: LineReaction(meaning="the depth line had ended before", action=LineAction.NOTE),
    316: LineReaction(meaning="depth was halted", action=LineAction.ASK_AGAIN),
    317: LineReaction(meaning="depth was reset", action=LineAction.EMPTY_BOOK),
    320: LineReaction(meaning="the server could not read the request", action=LineAction.GIVE_UP, alert=True),
    321: LineReaction(meaning="the server refused the request", action=LineAction.GIVE_UP, alert=True),
    322: LineReaction(
        meaning="the server could not process the request", action=LineAction.ASK_LATER, alert=True
    ),
    354: LineReaction(meaning="no market data permission", action=LineAction.ASK_DELAYED, alert=True),
    366: LineReaction(meaning="no such historical request", action=LineAction.NOTE),
    420: LineReaction(meaning="real-time bars were refused, or came too often", action=LineAction.ASK_LATER),
    2152: LineReaction(meaning="some exchanges of the book need a permission", action=LineAction.NOTE),
    10089: LineReaction(meaning="market data need a subscription", action=LineAction.ASK_DELAYED, alert=True),
    10090: LineReaction(meaning="part of the data needs a subscription", action=LineAction.NOTE),
    10091: LineReaction(
        meaning="part of the data needs a subscription", action=LineAction.ASK_DELAYED, alert=True
    ),
    10092: LineReaction(meaning="no book is offered here", action=LineAction.GIVE_UP, alert=True),
    10167: LineReaction(meaning="data are delayed", action=LineAction.MARK_DELAYED, alert=True),
    10168: LineReaction(meaning="not subscribed", action=LineAction.ASK_DELAYED, alert=True),
    10182: LineReaction(meaning="live updates broke off", action=LineAction.ASK_AGAIN),
    10186: LineReaction(meaning="not subscribed", action=LineAction.ASK_DELAYED, alert=True),
    10189: LineReaction(meaning="tick-by-tick was refused", action=LineAction.GIVE_UP, alert=True),
    10190: LineReaction(
        meaning="the login has no tick-by-tick line left", action=LineAction.GIVE_UP, alert=True
    ),
    10225: LineReaction(meaning="the line was ended by a bust", action=LineAction.ASK_AGAIN),
}


def table() -> str:
    """The codes as a Markdown table; an asterisk marks those that alert a person."""
    lines = ["| what is done | codes |", "| --- | --- |"]
    for action in LineAction:
        codes = [code for code, reaction in LINE_REACTIONS.items() if reaction.action is action]
        shown = ", ".join(f"{code}{'*' if LINE_REACTIONS[code].alert else ''}" for code in sorted(codes))
        lines.append(f"| {action.value.replace('_', ' ')} | {shown} |")
    return "\n".join(lines)
