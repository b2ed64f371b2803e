"""Which of an option's model values count: those of the model itself go before those of bid, ask and last."""

from trading.model.market import OptionGreeks

MODEL_RANK, OTHER_RANK = 2, 1
GREEKS_RANK = {13: MODEL_RANK, 83: MODEL_RANK}  # by tick; the model's own, live and delayed


class BestGreeks:
    """The best values of each contract so far."""

    def __init__(self) -> None:
        self._standing: dict[int, int] = {}

    def accepts(self, conid: int, tick: int, told: OptionGreeks | None) -> bool:
        """Whether what was told now counts; None takes back what the same tick told before."""
        rank, standing = GREEKS_RANK.get(tick, OTHER_RANK), self._standing.get(conid, 0)
        if standing > rank:
            return False
        if told is not None:
            self._standing[conid] = rank
        else:
            self._standing.pop(conid, None)
        return True

    def forget(self, conid: int) -> None:
        """Nobody listens to the contract any more."""
        self._standing.pop(conid, None)
