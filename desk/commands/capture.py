"""`desk capture`: write down everything that is heard of the market, or play such a file again."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from adapters.configuration import load_settings
from adapters.wiring import open_market_sink
from desk.answers import AsJson, ExitCode, finish, print_json, say
from trading.errors import ConfigurationError, OutboxFullError
from trading.ports.market_state import MarketSink, SymbolUpdate

PAUSE_S = 0.5
PAUSES_MAX = 240  # two minutes for the market drain to make room


def capture(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where it is, or is to be: gzip JSON lines.")],
    replay: Annotated[
        bool, typer.Option("--replay", help="Play the file into Redis instead of writing one.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Listen to the market as `desk ingest` does and write down every message as it came; Ctrl-C ends it.

    The file holds the market's times and no clock of this machine: the same session gives the same bytes.
    `--replay` decodes its messages again and writes the same rows in the same order; it takes the settings of
    the symbols as they are now, so play a capture with the configuration that it was made with.

    Examples:

        desk capture session.jsonl.gz

        desk capture --replay session.jsonl.gz
    """
    path = file.expanduser().resolve()
    if replay:
        _replay(path, as_json=as_json)
    from desk.commands.ingest import ingest

    if path.exists():
        raise ConfigurationError(f"{path}: is there already; a capture is not written over")
    os.environ["DESK_CAPTURE"] = str(path)
    ingest()


def _replay(path: Path, *, as_json: bool) -> None:
    from adapters.ibkr.market.replay import replay_capture  # the client library, 0.3 s

    settings = load_settings()
    sink = _PatientSink(open_market_sink(settings))
    began = time.monotonic()
    played = replay_capture(path, settings.market, settings.ingest, sink)
    told = {
        "messages": played.messages,
        "updates": sink.updates,
        "symbols": sorted(played.feeds.symbols),
        "until": None if played.at is None else played.at.isoformat(),
        "seconds": round(time.monotonic() - began, 3),
    }
    if as_json:
        print_json(told)
    else:
        say(
            f"{told['messages']:,} messages of {', '.join(sorted(played.feeds.symbols)) or 'nothing'} until "
            f"{told['until']}: {told['updates']:,} updates in {told['seconds']} s"
        )
    finish(ExitCode.DONE)


class _PatientSink(MarketSink):
    """Waits for the drain where its outbox is full; nothing of a file is left out."""

    def __init__(self, sink: MarketSink) -> None:
        self._sink = sink
        self.updates = 0

    def publish(self, updates: Sequence[SymbolUpdate]) -> None:
        """Write, and try again while there is no room."""
        for pause in range(PAUSES_MAX + 1):
            try:
                self._sink.publish(updates)
            except OutboxFullError:
                if pause == PAUSES_MAX:
                    raise
                time.sleep(PAUSE_S)
            else:
                self.updates += len(updates)
                return
