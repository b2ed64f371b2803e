"""Reads a broker's own messages about executions and their fees, as the session heard them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from trading.model.fills import FillBatch

Fields = Sequence[str]


class MessageKind(StrEnum):
    """What a message is about."""

    EXECUTION = "execution"
    COMBINATION = "combination"  # an execution of a combination as such; its legs are the fills
    COMMISSION = "commission"
    OTHER = "other"  # read all the same: it is refused by its reader, not here


@dataclass(frozen=True, slots=True)
class MessageAbout:
    """What a message is about, without reading it whole; `exec_id` is blank for OTHER."""

    kind: MessageKind
    exec_id: str = ""


class MessageReader(ABC):
    """No method raises for a bad message: what cannot be read is refused by row in the batch."""

    @abstractmethod
    def about(self, fields: Fields) -> MessageAbout:
        """Say what a message is about."""

    @abstractmethod
    def batch(self, messages: Sequence[Fields], accounts: Mapping[str, str], origin: str) -> FillBatch:
        """Read messages into fills and fees; `accounts` says whose the executions elsewhere are, by id."""
