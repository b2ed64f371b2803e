"""What recorded files hold, counted by the shortest way: lines of archives, no parsing of ours."""

import zipfile
from collections.abc import Iterator
from pathlib import Path


def lines_of(path: Path, member_part: str = "") -> Iterator[tuple[str, list[str]]]:
    """Every line of an archive's members, split, with its member's name."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if member_part in name:
                for line in archive.read(name).decode().split():
                    yield name, line.split(",")


def count_lines(*paths: Path) -> int:
    """Lines of archives."""
    return sum(1 for path in paths for _ in lines_of(path))
