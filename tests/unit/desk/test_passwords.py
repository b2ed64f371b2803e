"""The secrets file."""

from pathlib import Path

import pytest

from desk.stack.passwords import load_or_make_passwords, write_private
from trading.errors import ConfigurationError


def test_passwords_are_made_once_and_kept(tmp_path: Path) -> None:
    """A second look reads what the first one made; the file is for its owner only."""
    path = tmp_path / "secrets.env"
    first = load_or_make_passwords(path)
    assert load_or_make_passwords(path) == first
    assert path.stat().st_mode & 0o777 == 0o600
    assert len({first.warehouse_writer, first.warehouse_reader, first.redis, first.redis_admin}) == 4
    assert first.redis not in repr(first)


def test_a_file_that_others_can_read_is_closed_again(tmp_path: Path) -> None:
    """Loosened rights are mended."""
    path = tmp_path / "secrets.env"
    load_or_make_passwords(path)
    path.chmod(0o644)
    load_or_make_passwords(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_without_a_password_is_refused_by_name(tmp_path: Path) -> None:
    """Half a file is never completed silently: the data directories know the old passwords."""
    path = tmp_path / "secrets.env"
    write_private(path, "REDIS_PASSWORD=x\n")
    with pytest.raises(ConfigurationError, match="WAREHOUSE_WRITER_PASSWORD"):
        load_or_make_passwords(path)
