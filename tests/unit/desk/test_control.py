"""Stale state is recognized."""

import os
from dataclasses import replace
from pathlib import Path

import psutil

from desk.stack.control import current_state
from desk.stack.layout import StackLayout
from desk.stack.processes import ProcessIdentity, identify
from desk.stack.state import StackState, write_state


def state_of(supervisor: ProcessIdentity) -> StackState:
    """A state without services."""
    return StackState(supervisor=supervisor, services=(), external=(), configuration_hash="")


def test_a_state_file_of_a_dead_supervisor_counts_as_nothing(tmp_path: Path) -> None:
    """Its pid may belong to a stranger by now: the start time tells."""
    layout = StackLayout(tmp_path)
    layout.make_folders()
    mine = identify(os.getpid())
    assert mine is not None
    write_state(layout.state_file, state_of(mine))
    assert current_state(layout) is not None
    write_state(layout.state_file, state_of(replace(mine, started_at=psutil.boot_time() - 1e6)))
    assert current_state(layout) is None


def test_no_home_folder_is_no_stack(tmp_path: Path) -> None:
    """Asking about a folder that is not there is no error and makes nothing."""
    assert current_state(StackLayout(tmp_path / "none")) is None
    assert not (tmp_path / "none").exists()
