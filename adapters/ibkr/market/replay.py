"""A capture played again: the same library decodes the same messages into the same feeds, and the sink is
called with the same updates in the same order.

Nothing is sent and nothing is waited for. Keep out: the session (what it did stands in the capture).
"""

import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson

from adapters.ibkr.market.budget import SymbolPlan, budget_of
from adapters.ibkr.market.capture import VERSION, read_line, read_option
from adapters.ibkr.market.feeds import Feeds
from adapters.ibkr.market.heard import ChainHeard
from adapters.ibkr.market.heard_before import HeardBefore
from adapters.ibkr.market.hears_feeds import HearsFeeds
from adapters.ibkr.market.lines import KnownContract
from adapters.ibkr.market.listener import MarketListener
from adapters.ibkr.market.requests import DELAYED
from adapters.ibkr.session.client_library import new_client
from trading.errors import InvalidFieldError
from trading.market.minute_holes import MinuteHole
from trading.market_settings import IngestSettings, MarketSettings
from trading.ports.market_state import MarketSink

LINE_BYTES_MAX = 16 * 1024 * 1024
SERVER_VERSION = 176  # of the captured messages: their forms do not differ between the versions we speak
ZONE = "America/New_York"
NO_MINUTES: Mapping[str, Sequence[str]] = {}  # captures before history was asked have none
NO_PRINTS: Mapping[str, str] = {}  # nor those before prints had holes of their own


def replay_capture(
    path: Path, market: MarketSettings, ingest: IngestSettings, sink: MarketSink
) -> "ReplayedCapture":
    """Play a capture into a sink; raises InvalidFieldError where the file is none, or breaks off."""
    played = ReplayedCapture(budget_of(market, ingest).symbols, ingest)
    for number, record in enumerate(read_capture(path), start=1):
        try:
            updates = played.take(record)
        except (ValueError, TypeError, LookupError) as error:
            what = f"{path}: record {number}: {type(error).__name__}: {error}"
            raise InvalidFieldError("capture", "records of the symbols that are configured", what) from error
        if updates:
            sink.publish(updates)
    return played


def read_capture(path: Path) -> Iterator[Sequence[Any]]:
    """The records of a capture, its head left out."""
    try:
        with gzip.open(path, "rb") as file:
            head = _read(file.readline(LINE_BYTES_MAX), path)
            if not isinstance(head, dict) or head.get("version") != VERSION:
                raise InvalidFieldError("capture", f"one of version {VERSION}", f"{head} in {path}")
            while line := file.readline(LINE_BYTES_MAX):
                yield _read(line, path)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InvalidFieldError("capture", "a whole file", f"{path}: {error}") from error


def _read(line: bytes, path: Path) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InvalidFieldError("capture", "lines of JSON", f"{path}: {error}") from error


class ReplayedCapture(HearsFeeds):
    """Feeds that hear a capture."""

    def __init__(self, plans: dict[str, SymbolPlan] | Any, ingest: IngestSettings) -> None:
        super().__init__(Feeds(plans, ingest))
        self.messages = 0
        self.unreadable = 0
        client = new_client(MarketListener(self, ZONE, _nothing))
        client.decoder.serverVersion = SERVER_VERSION
        self._interpret: Callable[[list[str]], None] = client.decoder.interpret

    def take(self, record: Sequence[Any]) -> Sequence[Any]:
        """Let one thing happen again; returns what is to be published."""
        name, at, *told = record
        self.at = None if at is None else _moment(at)
        if name == "heard":
            self.messages += 1
            self._interpret(list(told))
        elif name == "flush":
            return () if self.at is None else self.feeds.flush(self.at, self.at)
        else:
            self._act(name, told)
        return ()

    def _act(self, name: str, told: Sequence[Any]) -> None:
        feeds = self.feeds
        acts: dict[str, Callable[..., object]] = {
            "line": lambda number, fields: feeds.begin(number, read_line(fields)),
            "end": lambda number: feeds.end(number, self.at),
            "resume": lambda heard, minutes=NO_MINUTES, printed=NO_PRINTS: feeds.resume(
                HeardBefore(
                    {symbol: _moment(at) for symbol, at in heard.items()},
                    {symbol: [_moment(at) for at in each] for symbol, each in minutes.items()},
                    {symbol: _moment(at) for symbol, at in printed.items()},
                )
            ),
            "session": lambda day: feeds.begin_session(date.fromisoformat(day)),
            "chain": lambda symbol, options, listed: feeds.expect_chain(
                symbol, [read_option(option) for option in options], listed
            ),
            "quiet": lambda reason: feeds.quiet(reason, self.at),
            "still": self._stand_still,
            "lose": lambda reason: feeds.lose(reason, self.at),
            "error": lambda number, words, is_final: feeds.error(number, words, self.at, is_final=is_final),
            "empty": lambda number, words: feeds.empty_book(number, words, self.at),
            "crossed": lambda number, words: feeds.crossed_book(number, words, self.at),
            "delayed": lambda number: feeds.data_kind(number, DELAYED),
            "refill": lambda number, symbol, since, until: feeds.refills.begin(
                number, symbol, MinuteHole(_moment(since), _moment(until))
            ),
            "refill_over": lambda number, words, settled: feeds.refills.over(number, words, settled=settled),
            "undecodable": lambda fields, error: feeds.undecodable(fields, error, self.at),
        }
        if name not in acts:
            raise InvalidFieldError("capture", f"one of {', '.join(acts)}", name)
        acts[name](*told)

    def _stand_still(self, symbol: str, reason: str) -> None:
        if self.at is not None:
            self.feeds.stand_still(symbol, reason, self.at)

    # what a capture does not hold, or what only the session minds

    def link_ready(self, accounts: tuple[str, ...], server_version: int) -> None:
        """There is no link."""

    def link_closed(self, reason: str) -> None:
        """There is no link."""

    def anything(self) -> None:
        """There are no packets."""

    def message(self, fields: tuple[str, ...]) -> None:
        """It is what is being played."""

    def undecodable(self, fields: tuple[str, ...], error: str) -> None:
        """That nobody could read it stands in the capture."""

    def error(self, number: int, code: int, text: str, advanced: str) -> None:
        """What became of it stands in the capture."""

    def time(self, broker_at: datetime) -> None:
        """Every record has its time."""

    def next_number(self, number: int) -> None:
        """Nothing is asked."""

    def contract(self, number: int, contract: KnownContract) -> None:
        """Lines say what they are of."""

    def contracts_end(self, number: int) -> None:
        """Nothing is asked."""

    def chain(self, number: int, heard: ChainHeard) -> None:
        """Nothing is asked."""

    def chain_end(self, number: int) -> None:
        """Nothing is asked."""


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _nothing() -> None:
    """Nobody waits."""
