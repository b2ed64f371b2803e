"""Processes of this stack: known by pid and start time, marked through their environment, ended in order.

A pid alone proves nothing: the system hands it to a stranger after a crash. Keep out which processes there
are.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

MARK = "DESK_STACK_HOME"  # inherited by every descendant, run workers included; its value is the home folder
SAME_START_S = 2.0  # start times are derived from the boot time, which clock corrections move a little
KILL_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process, for ever: a recycled pid has another start time."""

    pid: int
    started_at: float  # seconds since the epoch


def identify(pid: int) -> ProcessIdentity | None:
    """The identity behind a pid; None when there is no such process."""
    try:
        return ProcessIdentity(pid, psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None


def is_alive(identity: ProcessIdentity | None) -> bool:
    """Whether that very process runs (a zombie does not)."""
    if identity is None:
        return False
    try:
        process = psutil.Process(identity.pid)
        same = abs(process.create_time() - identity.started_at) <= SAME_START_S
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def marked_processes(home: Path) -> list[psutil.Process]:
    """Every process that belongs to the stack of this home folder, except this one and its ancestors."""
    family = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return [
        process
        for process in psutil.process_iter()
        if process.pid not in family and _is_marked(process, home)
    ]


def end_processes(processes: Iterable[psutil.Process], grace_s: float) -> int:
    """SIGTERM to all, SIGKILL to those that are left after the grace; returns how many had to be killed."""
    alive = list(processes)
    for process in alive:
        _quietly(process, "terminate")
    _, stubborn = psutil.wait_procs(alive, timeout=grace_s)
    for process in stubborn:
        _quietly(process, "kill")
    psutil.wait_procs(stubborn, timeout=KILL_WAIT_S)
    return len(stubborn)


def _is_marked(process: psutil.Process, home: Path) -> bool:
    try:
        return process.environ().get(MARK) == str(home)
    except (psutil.Error, OSError):
        return False  # another user's process, or one that has just gone


def _quietly(process: psutil.Process, action: str) -> None:
    try:
        getattr(process, action)()
    except psutil.NoSuchProcess:
        return
