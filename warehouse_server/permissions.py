"""What a role may say. The engine's `readonly = 1` is the second wall, this is the first.

`readonly = 1` alone leaves holes, each tried: the scalar `file('/etc/passwd')` reads any file, DESCRIBE of
`file()` and `url()` reads and connects, INTO OUTFILE and BACKUP write, `Python()` looks into this process.
"""

from typing import Final

from warehouse_server.accounts import Role
from warehouse_server.engine import StatementClass
from warehouse_server.invocation import Invocation
from warehouse_server.lexer import Kind
from warehouse_server.names import names
from warehouse_server.refusals import NOT_IMPLEMENTED, READONLY, SYNTAX_ERROR, Refusal, refuse
from warehouse_server.statements import Text

_FOR_NOBODY: Final = frozenset(("PYTHON", "INPUT"))  # INPUT would store nothing and say nothing
_READER_OUTSIDE: Final = names(
    """
    FILE FILECLUSTER FILESYSTEM URL URLCLUSTER REMOTE REMOTESECURE CLUSTER CLUSTERALLREPLICAS S3
    S3CLUSTER GCS OSS COSN HDFS HDFSCLUSTER AZUREBLOBSTORAGE AZUREBLOBSTORAGECLUSTER MYSQL
    POSTGRESQL MONGODB REDIS SQLITE ODBC JDBC EXECUTABLE ARROWFLIGHT YTSAURUS INPUT DICTIONARY
    ZOOKEEPER PROMETHEUSQUERY PROMETHEUSQUERYRANGE CATBOOSTEVALUATE HIVE NATS KAFKA RABBITMQ
    """
)
_READER_OUTSIDE_PREFIXES: Final = (
    "ICEBERG",
    "DELTALAKE",
    "HUDI",
    "PAIMON",
    "S3",
    "AZURE",
    "TIMESERIES",
    "AI",
    "LLM",
)
_SETTINGS_WORDS: Final = frozenset(("SET", "USE"))


def check_text(invocation: Invocation, text: Text, kind: StatementClass) -> None:
    """Refuse what this role may not say in this statement."""
    unserved = text.calls & _FOR_NOBODY
    if unserved:
        message = f"The table function {min(unserved).lower()} is not served"
        raise refuse(NOT_IMPLEMENTED, "NOT_IMPLEMENTED", message)
    if invocation.role is Role.READER:
        _check_reader(text, kind)
    elif invocation.method in ("GET", "HEAD") and kind is StatementClass.OTHER:
        _check_get(text)


def check_insert(invocation: Invocation) -> None:
    """Refuse an INSERT with data from the reader, and by GET."""
    if invocation.role is Role.READER:
        raise refuse(READONLY, "READONLY", "reader: Cannot execute query in readonly mode")
    if invocation.method in ("GET", "HEAD"):
        raise _by_get()


def _check_reader(text: Text, kind: StatementClass) -> None:
    if kind is StatementClass.UNKNOWN:
        raise refuse(SYNTAX_ERROR, "SYNTAX_ERROR", "Syntax error: the statement is empty or cannot be parsed")
    if kind is not StatementClass.READ_ONLY:
        raise refuse(READONLY, "READONLY", "reader: Cannot execute query in readonly mode")
    named = text.words if "APPLY" in text.words else text.calls
    outside = sorted(
        name for name in named if name in _READER_OUTSIDE or name.startswith(_READER_OUTSIDE_PREFIXES)
    )
    if outside or _has_escaped_name(text):
        raise refuse(
            READONLY,
            "READONLY",
            f"reader: Cannot use {', '.join(outside) or 'escaped names'} in readonly mode",
        )


def _has_escaped_name(text: Text) -> bool:
    """A name spelled with a backslash could hide one of the forbidden ones."""
    return any(t.kind is Kind.QUOTED_NAME and b"\\" in text.sql[t.start : t.end] for t in text.tokens)


def _check_get(text: Text) -> None:
    if text.first_word not in _SETTINGS_WORDS:
        raise _by_get()


def _by_get() -> Refusal:
    return refuse(
        READONLY,
        "READONLY",
        "Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. "
        "You should use method POST for modifying queries",
    )
