"""The page of documentation that follows from the key schema: run it to write `docs/redis-keys.md` anew.

Keep out: what no family says of itself.
"""

import sys
from collections.abc import Iterator
from itertools import groupby

from adapters.redis.key_family import VARIES, KeyFamily
from adapters.redis.keys import DAY_S, HOUR_S, MINUTE_S, SCHEMA, aliases

HEAD = """# Redis: every key

Written by `python -m adapters.redis.key_page`; a test holds it to `adapters/redis/keys.py`, the one place
where keys are spelled.

`{SYM}` is a symbol in braces, the hash tag: all keys of one atomic script carry it, so they lie in one slot
of a cluster. `<name>` is any other part; `<occ>` is a contract's 21 characters without the blanks. Values are
JSON with `ts` (event time) and `v` (version of the schema); prices, sizes and money are strings; hashes have
one text a field. Symbols are data: blanks, quotes and semicolons may be in one; two dots, colons, braces and
glob signs may not.

A life is garbage collection, never a gate: readers look at `ts`. What is known of a market by night, on a
weekend or after its writer died is what was told last, as old as it says, until its life is over; then the
key is gone, which is "unknown" and never "nothing". `monitoring:data:stale` is empty out of hours.

A server that lost everything has the quotes, books and states of every symbol that tells again with the next
update, greeks and chain with the next chain, news and indicators with the next round of their vendor; minutes
of the session come back from the process that heard them, with its next update; prints begin anew (the
warehouse has those before). Leases are taken again under higher numbers. Locks come back from the warehouse,
and no entry is allowed before.

Some forms are named before anybody writes them, so that nobody takes them: those of signals, analytics (but
for the volatility regime), distribution, performance, exposure, emergencies, halts, metrics and risk limits.
"""


def page() -> str:
    """Return the whole page."""
    return "\n".join([HEAD, *_sections(), *_older_names()])


def _sections() -> Iterator[str]:
    ordered = sorted(SCHEMA, key=lambda family: (_area(family), family.pattern))
    for area, families in groupby(ordered, key=_area):
        yield f"## {area}\n"
        yield "| key | type | life | writer | what |"
        yield "| --- | --- | --- | --- | --- |"
        for family in families:
            told = (f"`{family.pattern}`", family.kind, _life(family), family.writer, family.what)
            yield "| " + " | ".join(told) + " |"
        yield ""


def _older_names() -> Iterator[str]:
    yield "## Names that older tools print\n"
    yield "| older | ours |"
    yield "| --- | --- |"
    for older, ours in sorted(aliases()):
        yield f"| `{older}` | `{ours}` |"
    yield ""


def _area(family: KeyFamily) -> str:
    return family.pattern.split(":")[0]


def _life(family: KeyFamily) -> str:
    if family.kind == "channel":
        return ""
    if family.ttl_s is None:
        return "stays"
    if family.ttl_s == VARIES:
        return "as its writer says"
    for seconds, unit in ((DAY_S, "d"), (HOUR_S, "h"), (MINUTE_S, "min")):
        if family.ttl_s % seconds == 0:
            return f"{family.ttl_s // seconds} {unit}"
    return f"{family.ttl_s} s"


if __name__ == "__main__":
    sys.stdout.write(page())
