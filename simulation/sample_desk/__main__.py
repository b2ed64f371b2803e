"""Write the sample desk: `python -m simulation.sample_desk --directory DIR --seed N`."""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from simulation.sample_desk.writing import (
    DEFAULT_ACCOUNTS,
    DEFAULT_FIRST_SESSION,
    DEFAULT_SESSIONS,
    write_sample_desk,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, write, print one JSON object with the counts."""
    parser = argparse.ArgumentParser(prog="python -m simulation.sample_desk", description=__doc__)
    parser.add_argument("--directory", type=Path, required=True, help="gets inbox/ and journal.json")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--sessions", type=int, default=DEFAULT_SESSIONS)
    parser.add_argument("--accounts", type=int, default=DEFAULT_ACCOUNTS)
    parser.add_argument("--first-session", type=date.fromisoformat, default=DEFAULT_FIRST_SESSION)
    parser.add_argument("--no-planted-breaks", action="store_true", help="all sources tell the truth")
    told = parser.parse_args(arguments)
    journal = write_sample_desk(
        told.directory,
        told.seed,
        planted=not told.no_planted_breaks,
        sessions=told.sessions,
        accounts=told.accounts,
        first_session=told.first_session,
    )
    counts = {
        "fills": len(journal.fills),
        "arrivals": journal.arrivals,
        "corrected": len(journal.corrected),
        "busted": len(journal.busted),
        "contracts": len(journal.contracts),
        "files": len(journal.files),
        "planted": len(journal.planted),
        "expected_breaks": len(journal.expected_breaks),
    }
    json.dump(counts, sys.stdout)
    sys.stdout.write("\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
