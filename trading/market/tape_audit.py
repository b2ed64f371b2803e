"""Whether a tick-by-tick tape has all its prints: by the running total that level 1 tells of the same trades.

A line that falls silent looks like a market in which nobody trades, and a pause that is shorter than any
limit of silence is seen by nobody. The texts of level 1 (tick 233) carry the session's volume, so what is
missing shows in the sum of the prints. The two lines are told apart from each other, so sums are compared at
the ends of seconds of the exchange's clock that both have left behind. The difference of the two stands still
while nothing is lost; texts leave trades out, which makes it smaller for a while, and a trade may be dated
into the next second by one of them, which makes it larger for one: only a difference that stays larger than
it ever was is a loss. A text that was left out of the very first second is named as one, once.

The total is the session's, whichever line tells it, so no line that is opened anew begins it anew: what a
hole of its own names already is named once more, with its shares.

Keep out: what a hole is (`print_holes`), reading texts and prints (`tape`).
"""

from collections import deque
from datetime import datetime, timedelta
from decimal import Decimal

SECOND = timedelta(seconds=1)
Total = tuple[datetime, Decimal]  # a print's time, and the volume of the session with it
Missing = tuple[datetime, datetime, Decimal]  # since, until, shares
STAYS = 3  # seconds with trades in which the difference must be larger
SECONDS_WAITING_MAX = 3_600  # of one line while the other tells nothing


class TapeAudit:
    """Of one tape; both lines tell their times in order, and what comes late counts for the newest second."""

    __slots__ = ("_agreed_at", "_found", "_known", "_newest", "_sum", "_sums", "_text", "_tick", "_totals")

    def __init__(self) -> None:
        self._found: Missing | None = None
        self._forget()

    def _begin(self) -> None:
        """Another session's total. What is missing of the one before is told, long enough or not."""
        self._find()
        known, since, text = self._known, self._agreed_at, self._text
        if known is not None and since is not None and text is not None and text[1] - self._sum > known:
            missing = since, _second(text[0]) + SECOND, text[1] - self._sum - known
            self._found = _joined(self._found, missing)
        self._forget()

    def _forget(self) -> None:
        self._sum = Decimal(0)  # of the prints
        self._text: Total | None = None  # the newest
        self._tick: datetime | None = None  # the newest second of the prints
        self._totals: deque[Total] = deque(maxlen=SECONDS_WAITING_MAX)  # the last of each second
        self._sums: deque[tuple[datetime, Decimal]] = deque(maxlen=SECONDS_WAITING_MAX)
        self._known: Decimal | None = None  # the difference that stayed
        self._newest: deque[Decimal] = deque(maxlen=STAYS)
        self._agreed_at: datetime | None = None  # the text until which nothing is missing

    def text(self, printed_at: datetime, total: Decimal) -> None:
        """Level 1 told a print, and the volume of the session with it."""
        before = self._text
        if before is not None and total < before[1]:
            self._begin()
        elif before is not None and _second(printed_at) > _second(before[0]):
            self._totals.append(before)
        elif before is not None:
            printed_at = max(printed_at, before[0])
        self._text = (printed_at, total)

    def tick(self, printed_at: datetime, size: Decimal) -> None:
        """A print was told tick by tick."""
        if self._tick is None:
            self._tick = printed_at
        elif printed_at > self._tick:
            self._sums.append((self._tick, self._sum))
            self._tick = printed_at
        self._sum += size

    def missing(self) -> Missing | None:
        """The shares of prints that were not told, and between which times; None where none are."""
        self._find()
        found, self._found = self._found, None
        return found

    def _find(self) -> None:
        while self._totals and self._tick is not None and _second(self._totals[0][0]) < self._tick:
            at, total = self._totals.popleft()
            sum_ = self._sum_until(_second(at))
            if sum_ is None:
                continue
            self._found = _joined(self._found, self._compare(at, total - sum_))

    def _sum_until(self, second: datetime) -> Decimal | None:
        """The prints of all seconds up to one; None for a second before the first that was told whole."""
        while len(self._sums) > 1 and self._sums[1][0] <= second:
            self._sums.popleft()
        return self._sums[0][1] if self._sums and self._sums[0][0] <= second else None

    def _compare(self, at: datetime, difference: Decimal) -> Missing | None:
        self._newest.append(difference)
        known, since = self._known, self._agreed_at
        if known is None or since is None or difference == known:
            self._known, self._agreed_at = difference, at
            return None
        stays = min(self._newest)
        if len(self._newest) < STAYS or stays <= known:
            return None
        self._known = stays
        if difference == stays:
            self._agreed_at = at
        return since, _second(at) + SECOND, stays - known


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _joined(before: Missing | None, after: Missing | None) -> Missing | None:
    """Both as one."""
    if before is None or after is None:
        return before or after
    return min(before[0], after[0]), max(before[1], after[1]), before[2] + after[2]
