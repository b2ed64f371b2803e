"""What a reader of a statement should hear of: names nobody knows, counted once per name."""

from collections import Counter
from collections.abc import Mapping

from adapters.ibkr.flex_names import ATTRIBUTES, SECTIONS

NAMES_MAX = 200  # unknown names listed per statement; a hostile file has millions
SHAPES_MAX = 2_000  # attribute lists remembered as known
NAME_CHARS_MAX = 80


class Notices:
    """Warnings about one statement, in the order of their first occasion."""

    def __init__(self) -> None:
        self.unknown: Counter[str] = Counter()
        self.told: list[str] = []
        self._known_shapes: set[tuple[str, ...]] = set()
        self._too_many = 0

    def section(self, name: str) -> None:
        """Notice a section that is not in the list."""
        if name not in SECTIONS:
            self._count(name)

    def attributes(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Notice attributes that are not in the list; rows of one shape cost one look."""
        shape = (tag, *attributes)
        if shape in self._known_shapes:
            return
        strange = [name for name in attributes if tag in ATTRIBUTES and name not in ATTRIBUTES[tag]]
        for name in strange:
            self._count(f"{tag}.{name}")
        if not strange and len(self._known_shapes) < SHAPES_MAX:
            self._known_shapes.add(shape)

    def tell(self, warning: str) -> None:
        """Add a warning."""
        if warning not in self.told and len(self.told) < NAMES_MAX:
            self.told.append(warning)

    def warnings(self) -> tuple[str, ...]:
        """All of them as sentences."""
        unknown = [
            f"{name} is not known; kept in raw ({count} times)" for name, count in self.unknown.items()
        ]
        more = [f"{self._too_many} more unknown names"] if self._too_many else []
        return (*self.told, *unknown, *more)

    def _count(self, name: str) -> None:
        name = name[:NAME_CHARS_MAX]
        if name in self.unknown or len(self.unknown) < NAMES_MAX:
            self.unknown[name] += 1
        else:
            self._too_many += 1
