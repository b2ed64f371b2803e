"""Structured logs: one JSON object per line in a file, and a compact line for people on stderr.

Belongs here: formats and handlers. Keep out: what is logged.
"""

import json
import logging
import logging.handlers
import sys
from datetime import UTC, datetime
from pathlib import Path

FILE_BYTES_MAX = 10 * 1024 * 1024
FILES_KEPT = 3
_OWN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """`{"at", "level", "component", "action", …}`: the message is the action, `extra` are the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        entry: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "level": record.levelname.lower(),
            "component": record.name,
            "action": record.getMessage(),
        }
        entry |= {name: value for name, value in vars(record).items() if name not in _OWN_FIELDS}
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str, ensure_ascii=False)


class CompactLine(logging.Formatter):
    """`12:30:05 warning desk.stack.child died service=redis`; the traceback of an error below it."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        fields = [f"{name}={value}" for name, value in vars(record).items() if name not in _OWN_FIELDS]
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        line = " ".join([at, record.levelname.lower(), record.name, record.getMessage(), *fields])
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def log_to_file(path: Path) -> None:
    """Send everything from INFO up to a file that never outgrows FILE_BYTES_MAX times FILES_KEPT."""
    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=FILE_BYTES_MAX, backupCount=FILES_KEPT - 1, encoding="utf-8", delay=True
    )
    handler.setFormatter(JsonLines())
    _add(handler, logging.INFO)


def log_to_console(level: int = logging.WARNING) -> None:
    """Send what a person should see now to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(CompactLine())
    _add(handler, level)


def _add(handler: logging.Handler, level: int) -> None:
    handler.setLevel(level)
    root = logging.getLogger()
    root.setLevel(min(root.level or level, level))
    for noisy in ("httpx", "httpcore"):  # one line per readiness question would bury the rest
        logging.getLogger(noisy).setLevel(logging.WARNING)
    root.addHandler(handler)
