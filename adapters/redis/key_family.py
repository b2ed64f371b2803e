"""What a form of keys is: how a key is built of its parts and read, and which parts are refused.

`{SYM}` is a symbol as hash tag, in braces, so that all keys of one atomic script lie in one slot; `<name>`
is any other part. Keep out: the keys themselves, which are in `keys`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from trading.errors import InvalidFieldError

VARIES: Final = 0  # a life that the writer says each time
PART_CHARS_MAX: Final = 200
KEYS_CACHED: Final = 16_384  # 8 MB; those of hundreds of symbols at every flush, contracts come and go
PART_ALLOWED = re.compile(
    r"[^\x00-\x20\x7f:{}*?\[\]\\]+"
)  # a separator or a glob sign in a part would make it another key
SYMBOL_ALLOWED = re.compile(
    r"(?! )(?!.*\.\.)[^\x00-\x1f\x7f:{}*?\[\]\\]+(?<! )"
)  # a symbol stands in braces, so blanks within it are its own (BRK B); two dots are no symbol but a path
LAST_PART_ALLOWED = re.compile(
    r"[^\x00-\x1f\x7f{}*?\[\]\\]+"
)  # the last part may hold colons and blanks: nothing follows it
SLOT = re.compile(r"\{SYM\}|<(\w+)>")


@dataclass(frozen=True, slots=True)
class KeyFamily:
    """All keys of one form."""

    pattern: str
    kind: str
    ttl_s: int | None
    writer: str
    what: str
    older: tuple[str, ...] = ()

    def at(self, **parts: str) -> str:
        """Build a key; `sym` is the symbol. Refuses parts that would change the key's form."""
        return _built(self.pattern, tuple(parts.items()))

    def matching(self, **parts: str) -> str:
        """Build the glob of all keys with these parts; the parts that are not given match anything."""
        _check(self.pattern, parts)

        def shown(slot: "re.Match[str]") -> str:
            name = slot[1] or "sym"
            value = parts.get(name, "*")
            return value if slot[1] else "{" + value + "}"

        return SLOT.sub(shown, self.pattern)

    def read(self, key: str) -> dict[str, str] | None:
        """Return a key's parts, or None where it is of another form."""
        return read_key(self.pattern, key)

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts, in their order."""
        return _names(self.pattern)


@lru_cache(maxsize=KEYS_CACHED)
def _built(pattern: str, told: tuple[tuple[str, str], ...]) -> str:
    parts, names = dict(told), _names(pattern)
    if set(parts) != set(names):
        raise InvalidFieldError("key", f"the parts {', '.join(names) or 'none'} of {pattern}", sorted(parts))
    _check(pattern, parts)
    return SLOT.sub(lambda slot: parts[slot[1]] if slot[1] else "{" + parts["sym"] + "}", pattern)


def _check(pattern: str, parts: Mapping[str, str]) -> None:
    names = _names(pattern)
    last = names[-1] if names and pattern.endswith((">", "}")) else ""
    for name, value in parts.items():
        _check_part(pattern, name, value, is_last=name == last)


def _names(pattern: str) -> tuple[str, ...]:
    return tuple(slot[1] or "sym" for slot in SLOT.finditer(pattern))


def read_key(pattern: str, key: str) -> dict[str, str] | None:
    """Return the parts of a key of this form, or None where it is of another."""
    names = _names(pattern)
    texts = SLOT.split(pattern)[::2]
    tagged = [slot[0] == "{SYM}" for slot in SLOT.finditer(pattern)]
    form = re.escape(texts[0])
    for place, text in enumerate(texts[1:]):
        is_last = place == len(names) - 1 and not text
        part = "(.+)" if is_last else "([^:]+)"
        form += (r"\{" + part + r"\}" if tagged[place] else part) + re.escape(text)
    match = re.fullmatch(form, key)
    return dict(zip(names, match.groups(), strict=True)) if match else None


def _check_part(pattern: str, name: str, value: str, *, is_last: bool) -> None:
    allowed = SYMBOL_ALLOWED if name == "sym" else LAST_PART_ALLOWED if is_last else PART_ALLOWED
    if len(value) > PART_CHARS_MAX or not allowed.fullmatch(value):
        raise InvalidFieldError(
            f"{name} of {pattern}", "text without separators, braces and glob signs", value
        )
