"""Which archives are read for a session: one of each layout, root and resolution, the first by its path."""

from collections.abc import Sequence
from datetime import date, datetime

from adapters.lean.catalog import Archive, Catalog, Layout
from adapters.lean.names import FINEST_FIRST, Resolution
from adapters.lean.series import Origin, broken, refusal
from trading.errors import InvalidFieldError
from trading.model.market import RefusedRow


def choose_archives(
    catalog: Catalog, session: date, kind: str, at: datetime
) -> tuple[Sequence[Archive], Sequence[RefusedRow]]:
    """The archives of a kind, and refusals of files that cannot be read or tell what another told."""
    chosen: dict[tuple[Layout, str, Resolution], Archive] = {}
    refused = []
    for file in catalog.of_day(session, kind):
        origin = Origin(folder=catalog.folder, path=file.path)
        try:
            archive = catalog.opened(file)
        except InvalidFieldError as error:
            is_broken = error.field == "file"  # else it is another file than its name says
            refused.append((broken if is_broken else refusal)("", at, error, origin))
            continue
        key = (archive.layout, archive.root, archive.resolution)
        if key in chosen:
            told = chosen[key].path.relative_to(catalog.folder)
            again = InvalidFieldError("file", f"one {kind} file of {archive.root} ({told})", file.path.name)
            refused.append(refusal("", at, again, origin))
        else:
            chosen[key] = archive
    return tuple(chosen.values()), refused


def finest(archives: Sequence[Archive]) -> Sequence[Archive]:
    """Of each layout and root the archive with the finest rows."""
    best: dict[tuple[Layout, str], Archive] = {}
    for archive in sorted(archives, key=lambda archive: FINEST_FIRST.index(archive.resolution)):
        best.setdefault((archive.layout, archive.root), archive)
    return tuple(best.values())
