"""Whether Dagster's databases are made: two processes that make them at once break them."""

import sqlite3
from pathlib import Path

from desk.stack.dagster import DATABASES, databases_are_made


def make(home: Path, versions: int) -> None:
    """Every database with so many versions in it."""
    for name in DATABASES:
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with sqlite3.connect(path) as connection:
            connection.execute("create table alembic_version (version_num text)")
            connection.executemany("insert into alembic_version values (?)", [("x",)] * versions)


def test_only_databases_with_one_version_each_are_made(tmp_path: Path) -> None:
    """Absent, empty, without a version, half of them: not made."""
    assert not databases_are_made(tmp_path)
    make(tmp_path, versions=0)
    assert not databases_are_made(tmp_path)
    make(tmp_path, versions=1)
    assert databases_are_made(tmp_path)
    (tmp_path / DATABASES[0]).write_bytes(b"")
    assert not databases_are_made(tmp_path)
    (tmp_path / DATABASES[0]).unlink()
    assert not databases_are_made(tmp_path)
