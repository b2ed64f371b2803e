"""The words of a ClickHouse statement, with their places in its bytes. Keep out what they mean.

Bytes and not text: the data behind an INSERT may be binary and is never touched. A regular expression
over the whole statement once hit an INSERT's binary body.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Kind(Enum):
    """What a token is; white space and comments are not reported."""

    WORD = "word"
    QUOTED_NAME = "quoted name"
    STRING = "string"
    NUMBER = "number"
    SIGN = "sign"


@dataclass(frozen=True, slots=True)
class Token:
    """A token at `start:end`; `depth` counts open brackets before it; `upper` is its text in upper case."""

    kind: Kind
    start: int
    end: int
    depth: int
    upper: str


_TOKEN: Final = re.compile(
    rb"""
      (?P<blank>   [\s\x00]+ | --[^\n]* | \#[ !][^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<string>  '(?:[^'\\]|\\.|'')*(?:'|\Z) )
    | (?P<name>    `(?:[^`\\]|\\.|``)*(?:`|\Z) | "(?:[^"\\]|\\.|"")*(?:"|\Z) )
    | (?P<heredoc> \$(?P<tag>[A-Za-z0-9_]*)\$.*?\$(?P=tag)\$ )
    | (?P<word>    [A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff$]* )
    | (?P<number>  [0-9][A-Za-z0-9_.]* )
    | (?P<sign>    . )
    """,
    re.VERBOSE | re.DOTALL,
)
_KINDS: Final = {
    "string": Kind.STRING,
    "heredoc": Kind.STRING,
    "name": Kind.QUOTED_NAME,
    "word": Kind.WORD,
    "number": Kind.NUMBER,
    "sign": Kind.SIGN,
}


def tokens(statement: bytes) -> Iterator[Token]:
    """The tokens in order; lazy, so that a caller may stop where an INSERT's data begins."""
    depth = 0
    for match in _TOKEN.finditer(statement):
        group = match.lastgroup or "sign"
        if group == "blank":
            continue
        kind = _KINDS[group if group != "tag" else "heredoc"]
        text = match.group()
        if kind is Kind.SIGN and text in b")]}":
            depth -= 1
        yield Token(kind, match.start(), match.end(), depth, text.decode("latin-1").upper())
        if kind is Kind.SIGN and text in b"([{":
            depth += 1
