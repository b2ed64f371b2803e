"""Effective settings out of files and environment."""

import shutil
from pathlib import Path

import pytest

from adapters.configuration import default_project_root, load_settings
from trading.errors import ConfigurationError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project folder with the real configuration."""
    shutil.copytree(default_project_root() / "config", tmp_path / "config")
    return tmp_path


def change(project: Path, section: str, old: str, new: str) -> None:
    """Edit one configuration file; the old text must be there."""
    path = project / "config" / f"{section}.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_shipped_configuration_loads_with_an_empty_environment(project: Path) -> None:
    """Nothing has to be set, and the home folder is the project's .desk from any folder."""
    settings = load_settings({}, project)
    assert settings.paths.home == project / ".desk"
    assert settings.paths.inbox == project / ".desk" / "inbox"
    assert settings.services.warehouse_url is None


def test_the_home_folder_follows_the_environment(project: Path, tmp_path: Path) -> None:
    """DESK_HOME moves state, inbox and archive together."""
    settings = load_settings({"DESK_HOME": str(tmp_path / "elsewhere")}, project)
    assert settings.paths.archive == tmp_path / "elsewhere" / "archive"


def test_the_environment_wins_over_the_env_file_and_that_over_the_stack(project: Path) -> None:
    """Addresses come from the running stack, are replaced by `.env`, and both by the environment."""
    stack = project / ".desk" / "stack"
    stack.mkdir(parents=True)
    (stack / "endpoints.env").write_text(
        "CLICKHOUSE_URL=http://stack\nREDIS_URL=redis://stack\nDAGSTER_URL=http://d\n"
    )
    (project / ".env").write_text(
        'export CLICKHOUSE_URL="http://file"  \n# a comment\nREDIS_URL=redis://file\n'
    )
    services = load_settings({"CLICKHOUSE_URL": "http://environment"}, project).services
    assert (services.warehouse_url, services.redis_url, services.dagster_url) == (
        "http://environment",
        "redis://file",
        "http://d",
    )
    assert load_settings({}, project, with_stack=False).services.dagster_url is None


def test_an_override_beside_the_state_replaces_single_keys(project: Path) -> None:
    """A file under the home folder changes what it names and leaves the rest."""
    folder = project / ".desk" / "config"
    folder.mkdir(parents=True)
    (folder / "books.yaml").write_text("base_currency: EUR\n")
    books = load_settings({}, project).books
    assert (books.base_currency, books.lot_method.value) == ("EUR", "fifo")


def test_the_hash_follows_choices_and_nothing_else(project: Path) -> None:
    """Two machines with the same choices have one hash; another limit has another."""
    first = load_settings({}, project).configuration_hash
    moved = load_settings({"DESK_HOME": "/tmp/x", "REDIS_URL": "redis://u:secret@h:1/0"}, project)
    assert moved.configuration_hash == first
    change(project, "reconciliation", '"1000"', '"2000"')
    assert load_settings({}, project).configuration_hash != first


def test_no_password_is_shown_by_the_settings(project: Path) -> None:
    """Settings that end up in a log or an error show no credentials."""
    settings = load_settings({"CLICKHOUSE_URL": "http://writer:s3cret@h:8123"}, project)
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("section", "old", "new", "words"),
    [
        ("stack", "redis_port: 6379", "redis_port: 70000", "stack.redis_port: expected"),
        ("stack", "redis_port: 6379", "redis_prot: 6379", "stack.redis_prot: unknown setting"),
        ("inbox", "files_per_tick_max: 1000 ", "files_per_tick_max: 0 ", "inbox.files_per_tick"),
        ("flex", "attempts_max: 5 ", "attempts_max: 0 ", "flex.attempts_max: expected 1 or more, was 0"),
        ("flex", ":-6000}", ":--1}", "flex.request_interval_ms: expected 0 or more"),
        (
            "reconciliation",
            '"0.005"',
            "0.005",
            "reconciliation.break_at: expected a decimal number in quotes",
        ),
        ("reconciliation", '"100"', '"5000"', "reconciliation.break_at, lock_contract_below"),
        ("reconciliation", "every_min: 15", "every_min: 0", "reconciliation.final_retry_every_min: expected"),
        ("reconciliation", '"09:00"', '"06:00"', "reconciliation.final_retry_until: expected a time after"),
        (
            "books",
            "lot_method: fifo",
            "lot_method: hifo",
            "books.lot_method: expected one of fifo, lifo, average",
        ),
        (
            "books",
            "base_currency: USD",
            "base_currency: ${BASE}",
            "books.base_currency: needs the environment",
        ),
        ("books", "base_currency: USD", "base_currency: [", "not readable as YAML"),
        ("books", "base_currency: USD", "", "books.base_currency: missing"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_key(
    project: Path, section: str, old: str, new: str, words: str
) -> None:
    """Whoever made the mistake reads which key it is in."""
    change(project, section, old, new)
    with pytest.raises(ConfigurationError) as refusal:
        load_settings({}, project)
    assert words in str(refusal.value)


def test_a_placeholder_takes_the_environment_else_its_default(project: Path) -> None:
    """`${NAME:-default}` works inside a value."""
    change(project, "books", "base_currency: USD", "base_currency: ${BASE:-CHF}")
    assert load_settings({}, project).books.base_currency == "CHF"
    assert load_settings({"BASE": "EUR"}, project).books.base_currency == "EUR"


def test_a_line_of_the_env_file_that_is_no_assignment_is_named_by_its_number(project: Path) -> None:
    """A broken `.env` is an error, not a missing setting; the value is not quoted in full."""
    (project / ".env").write_text("A=1\nthis is not an assignment\n")
    with pytest.raises(ConfigurationError, match=r"\.env:2: expected NAME=value"):
        load_settings({}, project)


def test_a_missing_section_is_refused_by_its_file(project: Path) -> None:
    """A checkout that lacks a file says which."""
    (project / "config" / "books.yaml").unlink()
    with pytest.raises(ConfigurationError, match=r"books\.yaml: missing"):
        load_settings({}, project)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DESK_GATEWAY", "maybe", "gateway.enabled: expected true or false"),
        ("DESK_GATEWAY_SPEED", "0", "gateway.speed: expected 1 to 100000"),
        ("DESK_GATEWAY_SERVER_VERSION", "170", "gateway.server_version: expected one of"),
        ("DESK_GATEWAY_SESSION", "Friday", "gateway.session: expected a day"),
    ],
)
def test_a_wrong_variable_of_the_gateway_is_refused(project: Path, name: str, value: str, words: str) -> None:
    """The simulated gateway is off unless asked for, and plays nothing that nobody meant."""
    assert load_settings({}, project).gateway.enabled is False
    with pytest.raises(ConfigurationError) as refusal:
        load_settings({name: value}, project)
    assert words in str(refusal.value)
