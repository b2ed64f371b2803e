"""What the reader may not do, whatever it writes."""

import pytest
from embedded_warehouse import RunningWarehouse
from warehouse_http import ask

FORBIDDEN = [
    "insert into t values (1)",
    "insert into t select 1",
    "insert into function file('/tmp/never') select 1",
    "create table x (a Int8) engine Memory",
    "create temporary table x (a Int8)",
    "drop table t",
    "alter table t delete where 1",
    "truncate table t",
    "optimize table t",
    "system flush logs",
    "kill query where 1",
    "set readonly = 0",
    "use system",
    "backup table t to File('/tmp/never')",
    "attach table t",
    "grant all on *.* to reader",
    "create function f as x -> x",
    "select * from file('/etc/passwd', 'LineAsString')",
    "select * from `file`('/etc/passwd', 'LineAsString')",
    "select * from \"file\"('/etc/passwd', 'LineAsString')",
    "select * from /* */ FILE /* */ ('/etc/passwd', 'LineAsString')",
    "select file('/etc/passwd')",
    "select `fi\\x6ce`('/etc/passwd')",
    "select arrayMap(x -> file(x), ['/etc/passwd'])",
    "select * apply(file) from (select '/etc/passwd' as a)",
    "select * apply file from (select '/etc/passwd' as a)",
    "with (select file('/etc/passwd')) as x select x",
    "describe table file('/etc/passwd', 'CSV')",
    "describe table url('http://127.0.0.1:1/x')",
    "explain select * from url('http://127.0.0.1:1/x', 'CSV', 'a String')",
    "select * from url('http://127.0.0.1:1/x', 'CSV', 'a String')",
    "select * from remote('127.0.0.1', system.one)",
    "select * from cluster('default', system.one)",
    "select * from s3('http://127.0.0.1:1/x')",
    "select * from mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "select * from sqlite('/tmp/x', 't')",
    "select * from executable('ls', 'TSV', 'a String')",
    "select * from deltaLakeLocal('/tmp')",
    "select * from loop(file('/etc/passwd', 'LineAsString'))",
    "select 1 settings readonly = 0",
    "select 1 settings max_memory_usage = 1",
    "select count() from t settings allow_ddl = 0",
]


@pytest.fixture(scope="module", autouse=True)
def _table(warehouse: RunningWarehouse) -> None:
    ask(warehouse, "create table t (a Int32) engine MergeTree order by a")
    ask(warehouse, "insert into t values (1), (2)")


@pytest.mark.parametrize("sql", FORBIDDEN)
@pytest.mark.parametrize("session", [None, "s"])
def test_forbidden(warehouse: RunningWarehouse, sql: str, session: str | None) -> None:
    """Refused as READONLY, in a session and out of one, and nothing has changed."""
    parameters = {"session_id": session} if session else {}
    reply = ask(warehouse, sql, user="reader", **parameters)
    assert reply.code == 164, reply.body
    assert b"root" not in reply.body
    assert ask(warehouse, "select count() from t").body == b"2\n"


@pytest.mark.parametrize(
    "setting",
    [
        "allow_ddl",
        "max_insert_block_size",
        "format_schema",
        "output_format_schema",
        "log_queries",
        "dialect",
        "profile",
    ],
)
def test_settings_outside_the_list(warehouse: RunningWarehouse, setting: str) -> None:
    """Any setting that is not on the list answers 164."""
    assert ask(warehouse, "select 1", user="reader", **{setting: "1"}).code == 164


def test_settings_of_the_list(warehouse: RunningWarehouse) -> None:
    """Allowed ones work, and `readonly=2` of a dashboard changes nothing."""
    allowed = {"max_threads": "1", "max_result_rows": "5", "output_format_json_quote_64bit_integers": "0"}
    assert ask(warehouse, "select 1", user="reader", readonly="2", **allowed).status == 200
    assert ask(warehouse, "select getSetting('readonly')", user="reader", readonly="2").body == b"1\n"


def test_a_column_may_be_called_file(warehouse: RunningWarehouse) -> None:
    """Only calls are looked at."""
    assert ask(warehouse, "select 1 as file, 2 as url order by file", user="reader").body == b"1\t2\n"
    assert ask(warehouse, "select 'file(' as a", user="reader").body == b"file(\n"


def test_a_hostile_value_of_a_bound_name(warehouse: RunningWarehouse) -> None:
    """An Identifier parameter names a table, never a function."""
    reply = ask(warehouse, "select * from {t:Identifier}('/etc/passwd')", user="reader", param_t="file")
    assert reply.status != 200 and b"root:" not in reply.body


def test_external_tables_are_the_readers_too(warehouse: RunningWarehouse) -> None:
    """A table in a form writes nothing that stays."""
    body = '--b\r\nContent-Disposition: form-data; name="e"; filename="e"\r\n\r\n1\n2\n\r\n--b--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    reply = ask(
        warehouse, body, user="reader", headers=headers, query="select sum(x) from e", e_structure="x Int8"
    )
    assert reply.body == b"3\n"
    default = "x String default file('/etc/passwd')"
    for structure in (default, "x Int8) engine = URL('http://127.0.0.1:1/x', CSV", "x Int8; drop table t"):
        reply = ask(warehouse, body, user="reader", headers=headers, query="select 1", e_structure=structure)
        assert reply.code == 36, reply.body


def test_a_large_document_is_refused(warehouse: RunningWarehouse) -> None:
    """The reader has no pipe: one-document formats are bounded, streams are not."""
    sql = "select number, repeat('x', 100) from numbers(1100000)"
    assert ask(warehouse, sql, user="reader", default_format="JSON").code == 396
    assert ask(warehouse, sql, user="reader", default_format="Null").status == 200


@pytest.mark.parametrize("query_id", ["plain", "x&readonly=0", "x y", "--readonly=0"])
@pytest.mark.parametrize("settings", [{}, {"max_threads": "1"}])
def test_no_query_id_unlocks_the_reader(
    warehouse: RunningWarehouse, query_id: str, settings: dict[str, str]
) -> None:
    """The reader's connection is locked by `readonly = 1`, with and without settings of its own."""
    sql = "select getSetting('readonly') settings readonly = 0"
    locked = ask(warehouse, "select getSetting('readonly')", user="reader", query_id=query_id, **settings)
    assert locked.body == b"1\n"
    assert ask(warehouse, sql, user="reader", query_id=query_id, **settings).code == 164
