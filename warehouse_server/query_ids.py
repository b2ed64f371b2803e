"""The client's query id, where the engine has its own. Keep out everything else of a statement.

The engine's query id cannot be set. A query carries the client's id, and the client's own comment behind a
line break, in `log_comment`; statements that read `system.query_log` or `system.processes`, and KILL QUERY,
are rewritten to see the client's id. Only bare names in the text of a query are touched, never the data of an
INSERT.
"""

from typing import Final

from warehouse_server.lexer import Kind, Token
from warehouse_server.names import names
from warehouse_server.statements import Text

_NAMES: Final = (Kind.WORD, Kind.QUOTED_NAME)
_SEPARATOR: Final = "\n"
_TABLES: Final = {"QUERY_LOG": "q.log_comment", "PROCESSES": "q.Settings['log_comment']"}
_BEFORE_TABLE: Final = frozenset(("FROM", "JOIN", ","))
_NO_SUBQUERY: Final = frozenset((".", "FINAL", "SAMPLE"))
_NOT_AN_ALIAS: Final = names(
    """
    WHERE PREWHERE GROUP ORDER LIMIT OFFSET HAVING SETTINGS FORMAT UNION INTERSECT EXCEPT JOIN INNER
    LEFT RIGHT FULL CROSS ANY ALL ASOF SEMI ANTI GLOBAL ON USING WINDOW QUALIFY ARRAY PASTE FETCH
    """
)


def marker(query_id: str, comment: str) -> str:
    """What goes into the engine's `log_comment`."""
    return f"{query_id}{_SEPARATOR}{comment}" if comment else query_id


def with_client_ids(text: Text) -> bytes:
    """The statement, seeing the client's query ids."""
    if not text.tokens:
        return text.sql
    if [t.upper for t in text.tokens[:2]] == ["KILL", "QUERY"]:
        return _rewritten(text.sql, _kill_edits(text.tokens))
    if text.words.isdisjoint(_TABLES) or not text.reads_tables:
        return text.sql
    return _rewritten(text.sql, _table_edits(text.tokens))


_Edit = tuple[int, int, str]


def _kill_edits(tokens: tuple[Token, ...]) -> list[_Edit]:
    named = [
        t for t in tokens if t.kind in (Kind.WORD, Kind.QUOTED_NAME) and t.upper.strip('`"') == "QUERY_ID"
    ]
    return [(t.start, t.end, "splitByChar('\\n', Settings['log_comment'])[1]") for t in named]


def _table_edits(tokens: tuple[Token, ...]) -> list[_Edit]:
    edits: list[_Edit] = []
    for at in range(1, len(tokens) - 2):
        before, database, dot, table = tokens[at - 1 : at + 3]
        is_table = (database.upper, dot.upper) == ("SYSTEM", ".") and table.upper in _TABLES
        following = tokens[at + 3] if at + 3 < len(tokens) else None
        if (
            is_table
            and before.upper in _BEFORE_TABLE
            and (following is None or following.upper not in _NO_SUBQUERY)
        ):
            edits.append((database.start, table.end, _seen_with_ids(table.upper, following)))
    return edits


def _seen_with_ids(table: str, following: Token | None) -> str:
    source = _TABLES[table]
    own = f"splitByChar('\\n', {source})[1]"
    comment = f"arrayStringConcat(arraySlice(splitByChar('\\n', {source}), 2), '\\n')"
    columns = f"if({source} = '', q.query_id, {own}) AS query_id"
    if table == "QUERY_LOG":
        columns += f", {comment} AS log_comment"
    alias = "" if _is_alias(following) else f" AS {table.lower()}"
    return f"(SELECT q.* REPLACE({columns}) FROM system.{table.lower()} AS q){alias}"


def _is_alias(following: Token | None) -> bool:
    if following is None:
        return False
    names = following.kind in _NAMES
    return names and following.upper not in _NOT_AN_ALIAS


def _rewritten(sql: bytes, edits: list[_Edit]) -> bytes:
    for start, end, replacement in reversed(edits):
        sql = sql[:start] + replacement.encode() + sql[end:]
    return sql
