"""What `desk doctor` says of the broker's lines, and which residents a home expects."""

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.configuration import load_settings
from desk.finding import Finding, Patient, Verdict
from desk.market_examination import market_data_lines
from desk.stack.expected import expected_residents
from desk.stack.layout import StackLayout
from desk.stack.residents import wanted_residents
from trading.services.supervise import broker_residents, market_residents
from trading.settings import Settings


def settings_of(home: Path, **names: str) -> Settings:
    """A home's own settings."""
    return load_settings({"DESK_HOME": str(home), **names}, with_stack=False)


def examined(settings: Settings) -> Finding:
    """What the doctor finds."""
    layout = StackLayout(settings.paths.home)
    return market_data_lines(Patient(effective=settings, configured=settings, layout=layout))


def test_every_symbols_lines_are_named(tmp_path: Path) -> None:
    """Depth and prints go to three, and what has no line is a note with the way to mend it."""
    found = examined(settings_of(tmp_path, BROKER_HOST="127.0.0.1"))
    assert found.verdict is Verdict.NOTE
    assert "depth: SPY, QQQ, IWM; every print: SPY, QQQ, IWM" in found.detail
    assert "no line for SPY touches, QQQ touches, IWM touches" in found.detail
    assert "tick_by_tick_lines" in found.mend


def test_a_login_with_enough_lines_is_well(tmp_path: Path) -> None:
    """Nothing to note where all that is wanted has a line."""
    settings = settings_of(tmp_path, BROKER_HOST="127.0.0.1")
    more = replace(settings, ingest=replace(settings.ingest, tick_by_tick_lines=6))
    assert examined(more).verdict is Verdict.GOOD


def test_without_a_broker_no_line_is_needed(tmp_path: Path) -> None:
    """A desk that only reads files has no budget."""
    assert examined(settings_of(tmp_path)).detail == "none: the market is not listened to"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({}, set()),
        ({"BROKER_HOST": "127.0.0.1"}, {"drain", "broker", "ingest", "market-drain", "vendors"}),
        ({"BROKER_HOST": "127.0.0.1", "DESK_INGEST": "false"}, {"drain", "broker", "market-drain"}),
        ({"BROKER_HOST": "127.0.0.1", "DESK_GATEWAY": "true"}, set()),
    ],
)
def test_what_a_home_expects_to_live(tmp_path: Path, names: dict[str, str], expected: set[str]) -> None:
    """By the settings where no stack runs; a home of two brokers expects nothing that could be waited for."""
    assert set(expected_residents(settings_of(tmp_path, **names))) == expected


@pytest.mark.parametrize("host", ["", "127.0.0.1"])
@pytest.mark.parametrize("ingest", ["true", "false"])
@pytest.mark.parametrize("key", ["", "demo"])
def test_the_sensor_misses_whom_the_stack_starts(tmp_path: Path, host: str, ingest: str, key: str) -> None:
    """The scheduler's list of residents and the stack's are the same for every configuration."""
    names = {"BROKER_HOST": host, "DESK_INGEST": ingest, "ALPHA_VANTAGE_KEY": key}
    settings = settings_of(tmp_path, **names)
    missed = {*broker_residents(settings), *market_residents(settings)}
    assert missed == set(wanted_residents(settings))
