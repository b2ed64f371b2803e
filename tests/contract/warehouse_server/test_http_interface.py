"""The interface as a plain HTTP client sees it: accounts, parameters, headers, formats, errors."""

import gzip
import io
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable

import lz4.frame
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from embedded_warehouse import RunningWarehouse
from warehouse_http import ENDLESS, TIMEOUT_S, Reply, ask, until_running


def test_ping_needs_no_account(warehouse: RunningWarehouse) -> None:
    """A probe of health answers `Ok.` to anybody."""
    for path in ("/ping", "/replicas_status", "/"):
        assert ask(warehouse, user="", method="GET", path=path).body == b"Ok.\n"
    head = ask(warehouse, user="", method="HEAD", path="/ping")
    assert (head.status, head.body) == (200, b"")


def test_every_way_to_give_a_password(warehouse: RunningWarehouse) -> None:
    """Basic, the two headers, and the URL are accepted alike."""
    password = warehouse.writer_password
    by_headers = {"X-ClickHouse-User": "writer", "X-ClickHouse-Key": password}
    assert ask(warehouse, "select 1").body == b"1\n"
    assert ask(warehouse, "select 1", user="", headers=by_headers).body == b"1\n"
    in_url = {"user": "writer", "password": password, "query": "select 1"}
    assert (
        ask(warehouse, method="GET", path="/", **{k: v for k, v in in_url.items() if k != "user"}).status
        == 200
    )


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"X-ClickHouse-User": "writer", "X-ClickHouse-Key": "wrong"}, 403),
        ({"X-ClickHouse-User": "default"}, 403),
        ({"X-ClickHouse-User": "nobody", "X-ClickHouse-Key": ""}, 403),
        ({"Authorization": "Basic !!!"}, 403),
    ],
)
def test_wrong_credentials(warehouse: RunningWarehouse, headers: dict[str, str], status: int) -> None:
    """No account means 401, a wrong one 403, both with ClickHouse's 516."""
    reply = ask(warehouse, "select 1", user="", headers=headers)
    assert (reply.status, reply.code) == (status, 516)


def test_the_readers_password_does_not_make_a_writer(warehouse: RunningWarehouse) -> None:
    """A right password under another name is a wrong one."""
    headers = {"X-ClickHouse-User": "writer", "X-ClickHouse-Key": warehouse.reader_password}
    assert ask(warehouse, "select 1", user="", headers=headers).code == 516


def test_headers_of_a_real_server(warehouse: RunningWarehouse) -> None:
    """Query id, format, time zone and summary arrive under the names clients look for."""
    reply = ask(warehouse, "select number from numbers(5) format JSONEachRow", query_id="q-1")
    assert reply.headers["x-clickhouse-query-id"] == "q-1"
    assert reply.headers["x-clickhouse-format"] == "JSONEachRow"
    assert reply.headers["x-clickhouse-timezone"]
    summary = json.loads(reply.headers["x-clickhouse-summary"])
    assert (summary["read_rows"], summary["result_rows"]) == ("5", "5")


def test_a_query_id_is_made_where_none_is_given(warehouse: RunningWarehouse) -> None:
    """Every answer names its query."""
    first, second = (ask(warehouse, "select 1").headers["x-clickhouse-query-id"] for _ in range(2))
    assert len(first) == 36 and first != second


@pytest.mark.parametrize(
    ("sql", "status", "code"),
    [
        ("selec 1", 400, 62),
        ("", 400, 62),
        ("select nope", 404, 47),
        ("select * from nowhere", 404, 60),
        ("select 1; select 2", 400, 62),
        ("select 1; drop table x", 400, 62),
        ("insert into x values (1); drop table x", 404, 60),
        ("select 1 into outfile '/tmp/never' format TSV", 400, 498),
        ("insert into x from infile '/etc/passwd' format TSV", 400, 498),
        ("select * from Python(os)", 501, 48),
        ("insert into x select a from input('a Int8') format CSV\n1", 501, 48),
        ("select 1 format Nonsense", 404, 73),
    ],
)
def test_errors_have_code_and_status(warehouse: RunningWarehouse, sql: str, status: int, code: int) -> None:
    """An error is a status, a number in a header, and a text."""
    reply = ask(warehouse, sql)
    assert (reply.status, reply.code) == (status, code), reply.body
    assert reply.body.startswith(b"Code: %d. DB::" % code)


def test_unknown_paths_methods_and_settings(warehouse: RunningWarehouse) -> None:
    """What is not served says so."""
    assert ask(warehouse, "select 1", path="/nothing").status == 404
    assert ask(warehouse, method="DELETE").status == 405
    assert ask(warehouse, "select 1", no_such_setting="1").code == 115


def test_a_trailing_semicolon_and_comments_are_one_statement(warehouse: RunningWarehouse) -> None:
    """Only a second statement is one too many."""
    assert ask(warehouse, "select ';' -- ; no\n ; /* ; */ ;").body == b";\n"


def test_query_in_url_and_data_in_body(warehouse: RunningWarehouse) -> None:
    """The parameter and the body are one text, the parameter first."""
    ask(warehouse, "create table in_url (a UInt32, b String) engine MergeTree order by a")
    reply = ask(warehouse, b"1\tx\n2\ty\n", query="insert into in_url format TSV")
    assert json.loads(reply.headers["x-clickhouse-summary"])["written_rows"] == "2"
    assert ask(warehouse, method="GET", query="select b from in_url order by a").body == b"x\ny\n"
    assert ask(warehouse, b"from in_url", query="select count()").body == b"2\n"


def test_get_does_not_write(warehouse: RunningWarehouse) -> None:
    """GET implies readonly, as on the real server."""
    assert ask(warehouse, method="GET", query="create table by_get (a Int8) engine Memory").code == 164
    assert ask(warehouse, method="GET", query="insert into by_get values (1)").code == 164


def test_bound_values(warehouse: RunningWarehouse) -> None:
    """`param_x` binds {x:Type}; a value is never text of the statement."""
    hostile = "x'; drop table t"
    assert ask(warehouse, "select {s:String}, {n:UInt8} + 1", param_s=hostile, param_n="4").body == (
        b"x\\'; drop table t\t5\n"
    )
    ask(warehouse, "create table bound (a UInt32, b String) engine MergeTree order by a")
    ask(
        warehouse,
        "insert into {t:Identifier} values ({n:UInt32}, {s:String})",
        param_t="bound",
        param_n="7",
        param_s=hostile,
    )
    assert ask(warehouse, "select b from bound format TSVRaw").body == hostile.encode() + b"\n"


def test_settings_hold_for_one_request(warehouse: RunningWarehouse) -> None:
    """A URL setting is gone with its request."""
    sql = "select getSetting('max_block_size')"
    usual = ask(warehouse, sql).body
    assert ask(warehouse, sql, max_block_size="777").body == b"777\n"
    assert ask(warehouse, sql).body == usual


def test_database_by_parameter_and_by_header(warehouse: RunningWarehouse) -> None:
    """The database is the request's."""
    ask(warehouse, "create database other")
    assert ask(warehouse, "select currentDatabase()", database="other").body == b"other\n"
    assert (
        ask(warehouse, "select currentDatabase()", headers={"X-ClickHouse-Database": "other"}).body
        == b"other\n"
    )
    assert ask(warehouse, "select currentDatabase()").body == b"default\n"
    assert ask(warehouse, "select 1", database="missing").code == 81


@pytest.mark.parametrize("encoding", ["lz4", "zstd", "gzip", "deflate"])
def test_answers_in_every_encoding(warehouse: RunningWarehouse, encoding: str) -> None:
    """Whatever encoding the client accepts, small and streamed."""
    decode = {
        "lz4": lz4.frame.decompress,
        "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
        "gzip": gzip.decompress,
        "deflate": zlib.decompress,
    }[encoding]
    for rows in (3, 300_000):
        headers = {"Accept-Encoding": f"nothing, {encoding};q=0.5"}
        reply = ask(
            warehouse, f"select number from numbers({rows})", headers=headers, enable_http_compression="1"
        )
        assert reply.headers["content-encoding"] == encoding
        assert decode(reply.body).count(b"\n") == rows


@pytest.mark.parametrize("encoding", ["lz4", "zstd", "gzip", "deflate", "xz", "bz2"])
def test_every_frame_of_a_body_counts(warehouse: RunningWarehouse, encoding: str) -> None:
    """A body of many frames is stored whole: reading the first only lost 967,232 of 1,000,000 rows once."""
    import bz2
    import lzma

    encode = {
        "lz4": lz4.frame.compress,
        "zstd": zstandard.ZstdCompressor().compress,
        "gzip": gzip.compress,
        "deflate": zlib.compress,
        "xz": lzma.compress,
        "bz2": bz2.compress,
    }[encoding]
    table = f"frames_{encoding}"
    ask(warehouse, f"create table {table} (a UInt32) engine MergeTree order by a")
    frames = b"".join(
        encode(b"".join(b"%d\n" % n for n in range(at, at + 1000))) for at in range(0, 50_000, 1000)
    )
    reply = ask(
        warehouse, frames, query=f"insert into {table} format TSV", headers={"Content-Encoding": encoding}
    )
    assert json.loads(reply.headers["x-clickhouse-summary"])["written_rows"] == "50000", reply.body
    assert ask(warehouse, f"select count(), uniqExact(a) from {table}").body == b"50000\t50000\n"


def test_a_torn_frame_is_an_error(warehouse: RunningWarehouse) -> None:
    """A body that stops in a frame stores nothing and says so."""
    ask(warehouse, "create table torn (a UInt32) engine MergeTree order by a")
    body = lz4.frame.compress(b"".join(b"%d\n" % n for n in range(1000)))[:-20]
    reply = ask(warehouse, body, query="insert into torn format TSV", headers={"Content-Encoding": "lz4"})
    assert reply.status == 400
    assert ask(warehouse, "select count() from torn").body == b"0\n"


@pytest.mark.parametrize(
    "name", ["TSVWithNames", "CSVWithNames", "CSVWithNamesAndTypes", "TSVWithNamesAndTypes"]
)
def test_a_header_comes_once(warehouse: RunningWarehouse, name: str) -> None:
    """Chunks repeat their header; the client sees it once, a line break in a CSV name included."""
    sql = f"select number as `a\nb`, 'x' as c from numbers(200000) format {name}"
    lines = ask(warehouse, sql).body.split(b"\n")
    head = {"TSVWithNames": 1, "CSVWithNames": 2, "CSVWithNamesAndTypes": 3, "TSVWithNamesAndTypes": 2}[name]
    assert len(lines) == 200_000 + head + 1


def test_binary_header_comes_once(warehouse: RunningWarehouse) -> None:
    """RowBinaryWithNamesAndTypes: one header, then bare rows."""
    body = ask(warehouse, "select number from numbers(200000) format RowBinaryWithNamesAndTypes").body
    header = b"\x01\x06number\x06UInt64"
    assert body.startswith(header) and len(body) == len(header) + 8 * 200_000


def test_arrow_stream_is_one_stream(warehouse: RunningWarehouse) -> None:
    """One schema and one end: a reader sees every row, and of an empty result none."""
    for rows in (0, 5, 200_000):
        body = ask(warehouse, f"select number from numbers({rows}) format ArrowStream").body
        assert pa.ipc.open_stream(body).read_all().num_rows == rows


def test_one_document_formats(warehouse: RunningWarehouse) -> None:
    """JSON, Parquet, Arrow and XML are one valid document, also beyond the buffered size."""
    small = json.loads(
        ask(
            warehouse, "select number % 2 as a, count() from numbers(10) group by a with totals format JSON"
        ).body
    )
    assert small["rows"] == 2 and small["totals"]
    large = ask(warehouse, "select number, toString(number) from numbers(1200000) format JSONCompact").body
    assert json.loads(large)["rows"] == 1_200_000
    parquet = ask(warehouse, "select number from numbers(300000) format Parquet").body
    assert pq.read_table(io.BytesIO(parquet)).num_rows == 300_000
    arrow = ask(warehouse, "select number from numbers(300000)", default_format="Arrow").body
    assert pa.ipc.open_file(io.BytesIO(arrow)).read_all().num_rows == 300_000


def test_the_format_is_the_clause_then_the_parameter(warehouse: RunningWarehouse) -> None:
    """FORMAT in the text wins over default_format, over the header, over TabSeparated."""
    sql = "select 1 as format"
    assert ask(warehouse, sql).headers["x-clickhouse-format"] == "TabSeparated"
    assert ask(warehouse, sql, headers={"X-ClickHouse-Format": "CSV"}).headers["x-clickhouse-format"] == "CSV"
    assert ask(warehouse, sql, default_format="JSON").headers["x-clickhouse-format"] == "JSON"
    reply = ask(warehouse, sql + " format TSVWithNames settings max_threads = 1", default_format="JSON")
    assert reply.body == b"format\n1\n"


def test_only_result_sets_have_a_format(warehouse: RunningWarehouse) -> None:
    """A statement without a result set has no format header."""
    assert (
        "x-clickhouse-format" not in ask(warehouse, "create table no_format (a Int8) engine Memory").headers
    )
    assert "x-clickhouse-format" in ask(warehouse, "show tables").headers


def test_wait_end_of_query_keeps_the_status(warehouse: RunningWarehouse) -> None:
    """With it, a late error has its own status; the bytes sent before it are not seen."""
    sql = "select throwIf(number = 900000) from numbers(1000000)"
    late = ask(warehouse, sql)
    assert late.status == 200 and b"__exception__" in late.body
    assert ask(warehouse, sql, wait_end_of_query="1").code == 395
    assert len(ask(warehouse, "select number from numbers(500000)", wait_end_of_query="1").body) == 3_388_890


def test_a_late_error_carries_the_announced_tag(warehouse: RunningWarehouse) -> None:
    """The block between the markers has the tag of the header and the length of its message."""
    reply = ask(warehouse, "select throwIf(number = 900000) from numbers(1000000)")
    tag = reply.headers["x-clickhouse-exception-tag"].encode()
    _, _, block = reply.body.partition(b"__exception__\r\n" + tag + b"\r\n")
    message, _, _ = block.rpartition(b" " + tag)
    text, _, length = message.rpartition(b"\n")
    assert text.startswith(b"Code: 395") and len(text) + 1 == int(length)


def test_a_session_keeps_its_temporary_table(warehouse: RunningWarehouse) -> None:
    """What one request of a session makes, the next one sees, and no other session."""
    ask(warehouse, "create temporary table kept (a Int8)", session_id="s1")
    ask(warehouse, "insert into kept values (5)", session_id="s1")
    assert ask(warehouse, "select a from kept", session_id="s1").body == b"5\n"
    assert ask(warehouse, "select a from kept", session_id="s2").code == 60
    assert ask(warehouse, "select 1", session_id="s3", session_check="1").code == 372


def test_url_settings_do_not_stay_in_a_session(warehouse: RunningWarehouse) -> None:
    """SET stays, a URL setting lasts one request and gives back what SET had said."""
    sql = "select getSetting('max_block_size')"
    ask(warehouse, "set max_block_size = 1234", session_id="s4")
    assert ask(warehouse, sql, session_id="s4", max_block_size="99").body == b"99\n"
    assert ask(warehouse, sql, session_id="s4").body == b"1234\n"


def test_a_refused_setting_fails_one_request_of_a_session(warehouse: RunningWarehouse) -> None:
    """After an unknown setting, or a bad value, the session serves on with the settings it had."""
    sql = "select getSetting('max_block_size')"
    ask(warehouse, "set max_block_size = 1234", session_id="s7")
    unknown = {"max_block_size": "99", "no_such_setting": "1"}
    assert ask(warehouse, sql, session_id="s7", **unknown).code == 115
    assert ask(warehouse, sql, session_id="s7").body == b"1234\n"
    assert ask(warehouse, sql, session_id="s7", max_block_size="many").status != 200
    assert ask(warehouse, sql, session_id="s7").body == b"1234\n"


def test_an_expired_session_is_gone(warehouse: RunningWarehouse) -> None:
    """After its timeout a session starts anew."""
    ask(warehouse, "create temporary table brief (a Int8)", session_id="s5", session_timeout="1")
    time.sleep(1.2)
    assert ask(warehouse, "select * from brief", session_id="s5", session_timeout="1").code == 60


def _endless(warehouse: RunningWarehouse, query_id: str, **parameters: str) -> Callable[[], Reply]:
    """Start a query that ends only when it is killed; what is returned kills it and gives its reply."""
    replies: list[Reply] = []
    names = {"query_id": query_id, **parameters}
    work = threading.Thread(target=lambda: replies.append(ask(warehouse, ENDLESS, **names)))
    work.start()
    until_running(warehouse, query_id)

    def killed() -> Reply:
        ask(warehouse, f"kill query where query_id = '{query_id}' sync")
        work.join(TIMEOUT_S)
        return replies[0]

    return killed


def test_a_busy_session_is_locked(warehouse: RunningWarehouse) -> None:
    """A second request on a session that works is refused with 373."""
    killed = _endless(warehouse, "works", session_id="s6")
    assert ask(warehouse, "select 1", session_id="s6").code == 373
    killed()
    assert ask(warehouse, "select 1", session_id="s6").status == 200


def test_a_running_query_id_is_refused(warehouse: RunningWarehouse) -> None:
    """An id is one query's at a time."""
    killed = _endless(warehouse, "same")
    assert ask(warehouse, "select 1", query_id="same").code == 216
    killed()


def test_kill_query_by_the_clients_id(warehouse: RunningWarehouse) -> None:
    """KILL QUERY and system.processes know the id the client gave."""
    killed = _endless(warehouse, "victim")
    seen = ask(warehouse, "select query_id from system.processes where query_id = 'victim'")
    assert seen.body == b"victim\n"
    assert killed().code == 394


def test_the_query_log_knows_the_clients_id(warehouse: RunningWarehouse) -> None:
    """system.query_log is found by the client's id, and keeps the client's own comment apart."""
    ask(warehouse, "select 42", query_id="logged", log_comment="why")
    ask(warehouse, "system flush logs")
    sql = "select type, log_comment from system.query_log as l where l.query_id = 'logged' order by type"
    assert ask(warehouse, sql).body == b"QueryStart\twhy\nQueryFinish\twhy\n"
    assert ask(warehouse, "select count() > 0 from system.query_log where query_id = 'logged'").body == b"1\n"


@pytest.mark.parametrize(
    "query_id",
    ["7", "--readonly=1", "a&readonly=1", "a b?c=d'e\\f", "caf\u00e9", "x&config-file=/etc/passwd"],
)
def test_a_strange_query_id_is_an_id_and_nothing_else(warehouse: RunningWarehouse, query_id: str) -> None:
    """No character of an id becomes a setting, and the log knows it as it was given."""
    sql = "select getSetting('readonly'), currentDatabase()"
    reply = ask(warehouse, sql, query_id=query_id, log_comment="of my own")
    assert reply.body == b"0\tdefault\n"
    assert ask(warehouse, sql, query_id=query_id).body == b"0\tdefault\n"
    ask(warehouse, "system flush logs")
    logged = "select count(), max(log_comment) from system.query_log where query_id = {id:String}"
    escaped = query_id.replace("\\", "\\\\")
    assert ask(warehouse, logged, param_id=escaped).body == b"4\tof my own\n"


@pytest.mark.parametrize("name", ["plain", "a b", "it's", "x&readonly=1"])
def test_any_name_of_a_database_serves(warehouse: RunningWarehouse, name: str) -> None:
    """The parameter is a name, whatever characters it has; one that is not there is error 81."""
    assert ask(warehouse, "select 1", database=name).code == 81
    ask(warehouse, f"create database `{name}`")
    sql = "select currentDatabase(), getSetting('readonly') format TSVRaw"
    assert ask(warehouse, sql, database=name).body == f"{name}\t0\n".encode()


def test_external_tables_by_form(warehouse: RunningWarehouse) -> None:
    """A file of a form is a table for this request."""
    boundary = "edge"
    body = f'--{boundary}\r\nContent-Disposition: form-data; name="ext"; filename="e"\r\n\r\n1\n2\n3\n\r\n'
    body += f"--{boundary}--\r\n"
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    sql = "select sum(x) from ext"
    reply = ask(warehouse, body, headers=headers, query=sql, ext_structure="x UInt32", ext_format="TSV")
    assert reply.body == b"6\n"
    assert ask(warehouse, sql).code == 60


def test_binary_data_behind_format_is_not_touched(warehouse: RunningWarehouse) -> None:
    """Bytes that look like SQL, end in line breaks or start with blanks arrive as they are."""
    ask(warehouse, "create table raw_bytes (s String) engine MergeTree order by tuple()")
    data = b"\x20; drop table raw_bytes; -- \n\n\x00system.query_log FORMAT CSV \n\n"
    row = bytes([len(data)]) + data
    ask(warehouse, b"insert into raw_bytes format RowBinary\n" + row)
    assert ask(warehouse, "select s from raw_bytes format RowBinary").body == row


def test_a_body_in_small_pieces(warehouse: RunningWarehouse) -> None:
    """A chunked body may be cut anywhere, also inside a row."""
    import http.client

    from warehouse_http import credentials

    ask(warehouse, "create table pieces (a UInt32, b String) engine MergeTree order by a")
    data = b"insert into pieces format TSV\n" + b"".join(b"%d\tv%d\n" % (n, n) for n in range(500))
    connection = http.client.HTTPConnection("127.0.0.1", warehouse.port, timeout=60)
    pieces = (data[at : at + 7] for at in range(0, len(data), 7))
    connection.request("POST", "/", pieces, credentials(warehouse, "writer"), encode_chunked=True)
    assert json.loads(connection.getresponse().headers["X-ClickHouse-Summary"])["written_rows"] == "500"
    connection.close()


def test_a_connection_serves_on_after_an_error(warehouse: RunningWarehouse) -> None:
    """An error in the middle of a body leaves the connection usable."""
    import http.client

    from warehouse_http import credentials

    connection = http.client.HTTPConnection("127.0.0.1", warehouse.port, timeout=60)
    for _ in range(3):
        body = b"insert into missing_table format TSV\n" + b"1\n" * 500_000
        connection.request("POST", "/", body, credentials(warehouse, "writer"))
        response = connection.getresponse()
        assert response.headers["X-ClickHouse-Exception-Code"] == "60"
        response.read()
        connection.request("POST", "/", b"select 1", credentials(warehouse, "writer"))
        assert connection.getresponse().read() == b"1\n"
    connection.close()


def test_backup_and_restore(warehouse: RunningWarehouse) -> None:
    """BACKUP to a file under the directory's backups, and back."""
    ask(warehouse, "create table precious (a UInt32) engine MergeTree order by a")
    ask(warehouse, "insert into precious select number from numbers(1000)")
    target = f"{warehouse.directory}/backups/precious.tar.gz"
    assert b"BACKUP_CREATED" in ask(warehouse, f"backup table precious to File('{target}')").body
    ask(warehouse, "drop table precious")
    assert b"RESTORED" in ask(warehouse, f"restore table precious from File('{target}')").body
    assert ask(warehouse, "select sum(a) from precious").body == b"499500\n"
    assert ask(warehouse, "backup table precious to File('/tmp/elsewhere.tar')").status != 200


def test_the_servers_own_block_framing(warehouse: RunningWarehouse) -> None:
    """`decompress=1` reads and `compress=1` writes ClickHouse's frames, for drivers that need them."""
    from warehouse_server.block_frames import FrameEncoder, unframe

    ask(warehouse, "create table framed (a UInt32) engine MergeTree order by a")
    body = FrameEncoder().compress(b"".join(b"%d\n" % n for n in range(300_000)))
    reply = ask(warehouse, body, query="insert into framed format TSV", decompress="1")
    assert json.loads(reply.headers["x-clickhouse-summary"])["written_rows"] == "300000", reply.body
    framed = ask(warehouse, "select a from framed order by a", compress="1").body
    assert b"".join(unframe([framed])) == b"".join(b"%d\n" % n for n in range(300_000))


def test_rows_of_a_materialized_view_count_as_written(warehouse: RunningWarehouse) -> None:
    """As on a real server `written_rows` counts every table written to: two rows and a view make four."""
    ask(warehouse, "create table source (a UInt32) engine MergeTree order by a")
    ask(warehouse, "create table target (a UInt32) engine MergeTree order by a")
    ask(warehouse, "create materialized view copying to target as select a from source")
    reply = ask(warehouse, "insert into source values (1), (2)")
    assert json.loads(reply.headers["x-clickhouse-summary"])["written_rows"] == "4"


def test_progress_in_headers_where_asked_for(warehouse: RunningWarehouse) -> None:
    """The progress header comes only where the client wants it."""
    asked = ask(warehouse, "select 1", send_progress_in_http_headers="1")
    assert json.loads(asked.headers["x-clickhouse-progress"])["read_rows"] == "1"
    assert "x-clickhouse-progress" not in ask(warehouse, "select 1").headers


def test_more_than_one_statement_never_runs(warehouse: RunningWarehouse) -> None:
    """Behind the data of an INSERT, in a parameter and in a comment: the second statement does not run."""
    ask(warehouse, "create table stays (a Int32) engine MergeTree order by a")
    ask(warehouse, "insert into stays values (1); drop table stays")
    ask(warehouse, "select 1 /* ; */; drop table stays")
    ask(warehouse, "drop table stays", query="select 1;")
    ask(warehouse, "insert into stays format TSV\n1; drop table stays\n")
    assert ask(warehouse, "exists table stays").body == b"1\n"


def exchange(warehouse: RunningWarehouse, sent: bytes) -> bytes:
    """Bytes on a bare socket, and all that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", warehouse.port), timeout=TIMEOUT_S) as sock:
        sock.sendall(sent)
        received = b""
        while part := sock.recv(65536):
            received += part
        return received


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"\x00\xff\xfe\r\n\r\n",
    ],
)
def test_nonsense_is_refused_and_the_connection_closed(warehouse: RunningWarehouse, sent: bytes) -> None:
    """What is no request gets an error and no second chance on the same connection."""
    received = exchange(warehouse, sent + b"GET /ping HTTP/1.1\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 4") and b"Ok.\n" not in received


@pytest.mark.parametrize("size", [b"-5", b"0x5", b"5_0", b"", b"g"])
def test_a_strange_chunk_size_ends_the_connection(warehouse: RunningWarehouse, size: bytes) -> None:
    """A chunk's size is hexadecimal digits and nothing else."""
    head = b"POST /ping HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    received = exchange(warehouse, head + size + b"\r\nhello\r\n0\r\n\r\nGET /ping HTTP/1.1\r\n\r\n")
    assert received.count(b"Ok.\n") <= 1


def test_the_body_of_a_refused_request_is_not_the_next_request(warehouse: RunningWarehouse) -> None:
    """A wrong password leaves the connection in step: what follows is read as what it is."""
    inner = b"GET /ping HTTP/1.1\r\n\r\n"
    first = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(inner), inner)
    received = exchange(warehouse, first + b"HEAD /ping HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert received.count(b"HTTP/1.1 401") == 1 and received.count(b"HTTP/1.1 200") == 1
    assert b"Ok.\n" not in received


def test_a_held_back_body_is_asked_for(warehouse: RunningWarehouse) -> None:
    """`Expect: 100-continue` is answered once the account is known, and only then."""
    head = b"POST /?query=select+1%2B HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n"
    head += b"Connection: close\r\n"
    refused = exchange(warehouse, head + b"\r\n")
    assert refused.startswith(b"HTTP/1.1 401") and b"100 Continue" not in refused
    account = f"X-ClickHouse-User: writer\r\nX-ClickHouse-Key: {warehouse.writer_password}\r\n\r\n".encode()
    accepted = exchange(warehouse, head + account + b"5")
    assert accepted.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK") and accepted.endswith(b"6\n")
