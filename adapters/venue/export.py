"""A venue's answers as files of the inbox: positions first, then fills, and only where both are whole.

The positions are asked for first, so that every fill that they contain is in the fills that follow: the other
way round, a fill between the two questions would look like a position that nobody can explain.
"""

from collections.abc import Callable
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from adapters.venue.asking import VenueRefusedError, VenueUnavailableError
from adapters.venue.holdings import VenueAnswer, VenuePosition
from adapters.venue.payload import JsonObject, canonical_text, decode
from trading.model.broker import Complete
from trading.model.fills import FillBatch, Venue
from trading.ports.statement_source import StatementRefusedError, StatementUnavailableError
from trading.ports.venue_source import VenueExport

Envelope = Callable[[str], str]  # the rows of a list, to the answer that holds them; empty: none is needed


def export_of(
    venue: Venue,
    account: str,
    asked_at: datetime,
    positions: VenueAnswer[VenuePosition],
    batches: list[tuple[FillBatch, Envelope]],
    notes: dict[str, str],
) -> VenueExport:
    """Make the files; `notes` are added to the first page of the positions. Refuses half of the fills."""
    for batch, _ in batches:
        if batch.rejected:
            raise StatementRefusedError(f"{venue} fills of {account}: {batch.rejected[0].reason}")
        broken_off = [text for text in batch.warnings if text.startswith("incomplete")]
        if broken_off:
            raise StatementUnavailableError(f"{venue} fills of {account}: {broken_off[0]}")
    pages = [_noted(page, notes if number == 0 else {}) for number, page in enumerate(positions.pages)]
    fills = [envelope(",\n".join(fill.raw for fill in batch.fills)) for batch, envelope in batches]
    made = f"{asked_at:%Y%m%dT%H%M%S}"
    return VenueExport(
        account=account,
        asked_at=asked_at,
        files=(
            (f"{venue}-fills-{made}.json", _listed(fills)),
            (f"{venue}-positions-{made}.json", _listed(pages)),
        ),
        fills=sum(len(batch.fills) for batch, _ in batches),
        positions=len(whole(venue, account, positions).rows),
    )


def whole(venue: Venue, account: str, positions: VenueAnswer[VenuePosition]) -> Complete[VenuePosition]:
    """The answer, where it is whole: nothing else is asked, and nothing is kept, where it is not."""
    if isinstance(positions.answer, Complete):
        return positions.answer
    raise StatementUnavailableError(f"{venue} positions of {account}: {positions.answer.reason}")


@contextmanager
def venue_errors() -> Any:
    """What the clients raise, as what a source raises."""
    try:
        yield
    except VenueRefusedError as error:
        raise StatementRefusedError(str(error)) from error
    except VenueUnavailableError as error:
        raise StatementUnavailableError(str(error)) from error


def _noted(page: bytes, notes: dict[str, str]) -> str:
    document = decode(page)
    told = document if isinstance(document, JsonObject) else {}
    return canonical_text({**told, **notes})


def _listed(documents: list[str]) -> bytes:
    return ("[" + ",\n".join(filter(None, documents)) + "]\n").encode()
