"""Market data told in words that are no market: NaN, unset, -1 where a price or a model value belongs.

By the position of the fields in each message, so that whatever tells a price is hit. Keep out: which words
(the fault says) and when.
"""

from collections.abc import Mapping
from typing import Final

from simulation.tws.faults import WireFaults
from simulation.tws.replies import Message

PRICES: Final[Mapping[str, tuple[int, ...]]] = {
    "1": (4,),  # a line's price
    "12": (6,),  # a level of a book
    "13": (7,),  # the same with whose size it is
    "50": (4, 5, 6, 7),  # a bar of five seconds
}
TICK_BY_TICK: Final = "99"
TRADES, QUOTES, MIDDLES = ("1", "2"), "3", "4"
GREEKS: Final = "21"
FIRST_VALUE: Final = 4  # of the model's


def spoiled(message: Message, faults: WireFaults) -> Message:
    """The message in the faults' words; itself where they have none for it."""
    kind = message[0]
    if kind == GREEKS:
        if not faults.greeks_text:
            return message
        head = message[:FIRST_VALUE]
        return [*head, *[faults.greeks_text] * (len(message) - FIRST_VALUE)]
    places = PRICES.get(kind, ())
    if kind == TICK_BY_TICK:
        places = (4, 5) if message[2] == QUOTES else (4,)
    if not places or not faults.price_text:
        return message
    return [faults.price_text if place in places else text for place, text in enumerate(message)]
