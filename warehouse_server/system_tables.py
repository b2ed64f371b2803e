"""System tables as a client of a real server would see them. Keep out everything else of a statement.

The engine's query id cannot be set. A query carries the client's id, and the client's own comment behind a
line break, in `log_comment`; statements that read `system.query_log` or `system.processes`, and KILL QUERY,
see the client's id. To the reader `system.settings` shows as changeable what the allow-list lets it change:
drivers look there first. Only names in the text of a query are touched, never the data of an INSERT.
"""

from typing import Final

from warehouse_server.accounts import Role
from warehouse_server.invocation import READER_SETTINGS
from warehouse_server.lexer import Kind, Token
from warehouse_server.names import names
from warehouse_server.statements import Text

_SEPARATOR: Final = "\n"
_LOGGED: Final = "q.log_comment"
_RUNNING: Final = "q.Settings['log_comment']"
_OWN_COMMENT: Final = f"arrayStringConcat(arraySlice(splitByChar('\\n', {_LOGGED}), 2), '\\n') AS log_comment"
_ALLOWED: Final = ", ".join(f"'{name}'" for name in sorted(READER_SETTINGS))
_KILLED: Final = "splitByChar('\\n', Settings['log_comment'])[1]"
_BEFORE_TABLE: Final = frozenset(("FROM", "JOIN", ","))
_NO_SUBQUERY: Final = frozenset((".", "FINAL", "SAMPLE"))
_NOT_AN_ALIAS: Final = names(
    """
    WHERE PREWHERE GROUP ORDER LIMIT OFFSET HAVING SETTINGS FORMAT UNION INTERSECT EXCEPT JOIN INNER
    LEFT RIGHT FULL CROSS ANY ALL ASOF SEMI ANTI GLOBAL ON USING WINDOW QUALIFY ARRAY PASTE FETCH
    """
)
_Edit = tuple[int, int, str]


def _own_id(source: str) -> str:
    return f"if({source} = '', q.query_id, splitByChar('\\n', {source})[1]) AS query_id"


_READER_MAY: Final = (
    f"q.name IN ({_ALLOWED}) OR (q.name LIKE 'output_format_%' AND q.name NOT LIKE '%schema%')"
)
_REPLACED: Final = {
    "QUERY_LOG": f"{_own_id(_LOGGED)}, {_OWN_COMMENT}",
    "PROCESSES": _own_id(_RUNNING),
}
_REPLACED_FOR_READER: Final = {**_REPLACED, "SETTINGS": f"if({_READER_MAY}, 0, q.readonly) AS readonly"}


def marker(query_id: str, comment: str) -> str:
    """What goes into the engine's `log_comment`."""
    return f"{query_id}{_SEPARATOR}{comment}" if comment else query_id


def as_on_a_server(text: Text, role: Role) -> bytes:
    """The statement, seeing the system tables as on a real server."""
    replaced = _REPLACED_FOR_READER if role is Role.READER else _REPLACED
    if [token.upper for token in text.tokens[:2]] == ["KILL", "QUERY"]:
        return _rewritten(text.sql, _kill_edits(text.tokens))
    if not text.reads_tables or text.words.isdisjoint(replaced):
        return text.sql
    return _rewritten(text.sql, _table_edits(text.tokens, replaced))


def _kill_edits(tokens: tuple[Token, ...]) -> list[_Edit]:
    ids = (token for token in tokens if _is_name(token) and token.upper.strip('`"') == "QUERY_ID")
    return [(token.start, token.end, _KILLED) for token in ids]


def _table_edits(tokens: tuple[Token, ...], replaced: dict[str, str]) -> list[_Edit]:
    edits: list[_Edit] = []
    for at in range(1, len(tokens) - 2):
        before, database, dot, table = tokens[at - 1 : at + 3]
        if (database.upper, dot.upper) != ("SYSTEM", ".") or table.upper not in replaced:
            continue
        following = tokens[at + 3] if at + 3 < len(tokens) else None
        replaceable = following is None or following.upper not in _NO_SUBQUERY
        if replaceable and before.upper in _BEFORE_TABLE:
            alias = "" if _is_alias(following) else f" AS {table.upper.lower()}"
            source = f"(SELECT q.* REPLACE({replaced[table.upper]}) FROM system.{table.upper.lower()} AS q)"
            edits.append((database.start, table.end, source + alias))
    return edits


def _is_alias(following: Token | None) -> bool:
    return following is not None and _is_name(following) and following.upper not in _NOT_AN_ALIAS


def _is_name(token: Token) -> bool:
    return token.kind in (Kind.WORD, Kind.QUOTED_NAME)


def _rewritten(sql: bytes, edits: list[_Edit]) -> bytes:
    for start, end, replacement in reversed(edits):
        sql = sql[:start] + replacement.encode() + sql[end:]
    return sql
