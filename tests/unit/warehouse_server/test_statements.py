"""What the server understands of a statement's text."""

import itertools

import pytest

from warehouse_server.accounts import Role
from warehouse_server.lexer import tokens
from warehouse_server.refusals import Refusal
from warehouse_server.statements import parse_insert, parse_text
from warehouse_server.system_tables import as_on_a_server


@pytest.mark.parametrize(
    ("sql", "head", "output_format", "data"),
    [
        (b"insert into t format TSV\n1\n", b"insert into t ", "TSV", b"1\n"),
        (b"INSERT INTO t (a, b) FORMAT Native\r\n\x00\n", b"INSERT INTO t (a, b) ", "Native", b"\x00\n"),
        (b"insert into t format RowBinary \t\n\n\n", b"insert into t ", "RowBinary", b"\n\n"),
        (b"insert into t values (1), (2)", b"insert into t ", "Values", b"(1), (2)"),
        (b"insert into values values (1)", b"insert into values ", "Values", b"(1)"),
        (b"insert into d.`format` format CSV 1", b"insert into d.`format` ", "CSV", b"1"),
        (
            b"/* format X */ insert into t -- values\n format CSV 1",
            b"/* format X */ insert into t -- values\n ",
            "CSV",
            b"1",
        ),
        (
            b"insert into function null('a Int8') values (1)",
            b"insert into function null('a Int8') ",
            "Values",
            b"(1)",
        ),
        (
            b"insert into t settings a = 'values' format CSV 1",
            b"insert into t settings a = 'values' ",
            "CSV",
            b"1",
        ),
        (b"insert into t (`values`) format CSV 1", b"insert into t (`values`) ", "CSV", b"1"),
    ],
)
def test_an_insert_is_cut_at_its_data(sql: bytes, head: bytes, output_format: str, data: bytes) -> None:
    """The head loses its FORMAT clause; the data begin exactly behind it."""
    insert = parse_insert(sql)
    assert insert is not None
    assert (insert.head, insert.format, sql[insert.data_at :]) == (head, output_format, data)


@pytest.mark.parametrize(
    "sql",
    [
        b"insert into t select 1",
        b"insert into t with 1 as x select x",
        b"select 1",
        b"",
        b"with x as (select 1) insert",
    ],
)
def test_other_statements_have_no_data(sql: bytes) -> None:
    """What is not an INSERT with data is text."""
    assert parse_insert(sql) is None


@pytest.mark.parametrize(
    "sql",
    [b"select 1; select 2", b"select ';'; drop table t", b"select 1;;x", b"/*;*/ select 1 ; -- a\n select 2"],
)
def test_several_statements_are_refused(sql: bytes) -> None:
    """A second statement behind a semicolon is code 62."""
    with pytest.raises(Refusal) as caught:
        parse_text(sql)
    assert caught.value.code == 62


@pytest.mark.parametrize(
    "sql",
    [
        b"select ';' ;",
        b"select 1 -- ; drop",
        b"select `a;b` from t;;",
        b"select $x$ ; $x$",
        b'select ";"',
        b"select 'it''s; \\'; '",
        b"select 1 # ; drop",
    ],
)
def test_semicolons_that_separate_nothing(sql: bytes) -> None:
    """Quotes, comments and a trailing semicolon are one statement."""
    parse_text(sql)


@pytest.mark.parametrize(
    ("sql", "output_format"),
    [
        (b"select 1 format JSON", "JSON"),
        (b"select 1 format JSON ;", "JSON"),
        (b"select 1 format JSON settings max_threads = 1", "JSON"),
        (b"select format from t", None),
        (b"select 1 as format", None),
        (b"select (select 1 format) as x", None),
        (b"select 'format JSON'", None),
        (b"select formatDateTime(now(), '%F')", None),
        (b"select * from t format", None),
    ],
)
def test_the_output_format(sql: bytes, output_format: str | None) -> None:
    """FORMAT is a clause only at the end and outside brackets."""
    assert parse_text(sql).format == output_format


def test_settings_behind_the_format_stay() -> None:
    """Taking the format out leaves the rest."""
    text = parse_text(b"select 1 format JSON settings a = 1;")
    assert text.before_format == b"select 1  settings a = 1"


def test_calls_see_through_quotes_and_comments() -> None:
    """A function's name counts however it is written."""
    text = parse_text(b"select file /* x */ ('a'), `Url`('b'), \"remote\" ('c'), 'd' ('e'), f")
    assert text.calls >= {"FILE", "URL", "REMOTE"} and "F" not in text.calls


def test_every_byte_of_a_statement_is_in_some_token_or_between() -> None:
    """Tokens are in order, do not overlap, and survive bytes that are no text."""
    sql = bytes(range(256)) * 3
    found = list(tokens(sql))
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))


def test_system_tables_are_seen_with_the_clients_ids() -> None:
    """Only a table in FROM or JOIN is replaced; an alias stays; a string does not matter."""
    text = parse_text(b"select 'from system.query_log', l.query_id from system.query_log as l")
    sql = as_on_a_server(text, Role.WRITER)
    assert sql.count(b"FROM system.query_log AS q) as l") == 1 and sql.startswith(
        b"select 'from system.query_log'"
    )
    untouched = parse_text(b"describe table system.query_log")
    assert as_on_a_server(untouched, Role.WRITER) == untouched.sql


@pytest.mark.parametrize(
    "sql", [b"select * from infile", b"insert into outfile select 1", b"select 1 as outfile"]
)
def test_tables_may_be_called_like_files(sql: bytes) -> None:
    """Only the clauses are refused."""
    parse_text(sql)


@pytest.mark.parametrize(
    "sql",
    [
        b"select 1 into outfile 'x'",
        b"(select 1) into /* */ OUTFILE 'x'",
        b"insert into t select 1 into outfile 'x'",
    ],
)
def test_files_are_refused(sql: bytes) -> None:
    """Nothing is written beside the data directory."""
    with pytest.raises(Refusal) as caught:
        parse_text(sql)
    assert caught.value.code == 498


@pytest.mark.parametrize(
    ("sql", "streams"),
    [
        (b"select 1", False),
        (b"select 1 union all select 'from t'", False),
        (b"(select 1) union all (select 2)", True),
        (b"with 1 as x select x", False),
        (b"select 1 from t", True),
        (b"from t select 1", True),
        (b"select sleep(3)", True),
        (b"select `arrayJoin` ([1, 2])", True),
        (b"select 1 from", True),
        (b"show tables", False),
    ],
)
def test_only_constants_are_not_worth_a_stream(sql: bytes, streams: bool) -> None:
    """Whatever reads a table or calls a function may be long, and streams."""
    assert parse_text(sql).streamable is streams
