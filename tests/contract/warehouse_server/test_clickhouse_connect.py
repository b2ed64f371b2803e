"""The client the project uses, sync and async, against a running server."""

import asyncio
import threading
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import clickhouse_connect
import pandas as pd
import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError
from clickhouse_connect.driver.external import ExternalData
from embedded_warehouse import RunningWarehouse

LATE_ERROR = (
    "select number, sleepEachRow(0.01), throwIf(number = 30) from numbers(60) settings max_block_size = 1"
)


@pytest.mark.parametrize("compress", ["lz4", "zstd", "gzip", False])
def test_a_million_rows_arrive(warehouse: RunningWarehouse, compress: str | bool) -> None:
    """Every block of a large insert is stored, and the summary counts them."""
    client = clickhouse_connect.get_client(dsn=warehouse.url, compress=compress)
    table = f"million_{compress}".lower()
    client.command(f"create table {table} (a UInt32, b String) engine MergeTree order by a")
    frame = pd.DataFrame({"a": range(1_000_000), "b": ["v"] * 1_000_000})
    assert client.insert_df(table, frame).written_rows == 1_000_000
    assert client.query(f"select count(), sum(a) from {table}").result_rows == [(1_000_000, 499_999_500_000)]
    assert client.query_df(f"select * from {table}").shape == (1_000_000, 2)
    client.close()


def test_types_come_back_as_they_went(writer: Any) -> None:
    """Money, nanoseconds, nulls, enums, arrays, maps and JSON survive."""
    writer.command(
        "create table types (d Decimal(38, 10), t DateTime64(6, 'UTC'), n Nullable(Int64), e Enum8('a' = 1), "
        "l LowCardinality(String), r Array(Float64), m Map(String, UInt8), j JSON) "
        "engine MergeTree order by d"
    )
    at = datetime(2026, 8, 21, 13, 30, 0, 123456, tzinfo=UTC)
    row = [Decimal("1234567890.0123456789"), at, None, "a", "x", [1.5, 2.5], {"k": 1}, {"q": 7}]
    assert writer.insert("types", [row]).written_rows == 1
    assert list(writer.query("select * from types", tz_mode="aware").result_rows[0][:3]) == row[:3]
    assert list(writer.query("select e, l, r, m from types").result_rows[0]) == row[3:7]


def test_arrow_both_ways(writer: Any) -> None:
    """Arrow in, Arrow out, as a table and as a stream."""
    writer.command("create table arrow (a UInt64) engine MergeTree order by a")
    writer.insert_arrow("arrow", pa.table({"a": pa.array(range(300_000), pa.uint64())}))
    assert writer.query_arrow("select a from arrow").num_rows == 300_000
    with writer.query_arrow_stream("select a from arrow") as stream:
        assert sum(batch.num_rows for batch in stream) == 300_000


def test_a_late_error_is_an_exception(writer: Any) -> None:
    """An error after the first rows is never taken for the end of the data."""
    with pytest.raises(StreamFailureError, match="throwIf"):
        writer.query(LATE_ERROR, settings={"wait_end_of_query": 0}).result_rows  # noqa: B018
    with pytest.raises(StreamFailureError, match="throwIf"), writer.query_rows_stream(LATE_ERROR) as stream:
        for _ in stream:
            pass
    assert writer.query("select 1").result_rows == [(1,)]


def test_a_late_error_with_every_compression(warehouse: RunningWarehouse) -> None:
    """The block of the error is found behind each encoding."""
    for compress in ("lz4", "zstd", "gzip", False):
        client = clickhouse_connect.get_client(dsn=warehouse.url, compress=compress)
        with pytest.raises(StreamFailureError, match="throwIf"):
            client.query(LATE_ERROR, settings={"wait_end_of_query": 0}).result_rows  # noqa: B018
        client.close()


def test_parameters_are_bound_by_the_server(writer: Any) -> None:
    """Values travel beside the text, in the URL and in a form."""
    hostile = "x'); drop table t; --\n\t\\"
    rows = writer.query(
        "select {s:String}, {a:Array(String)}", parameters={"s": hostile, "a": [hostile]}
    ).result_rows
    assert rows == [(hostile, [hostile])]


def test_parameters_in_a_form(warehouse: RunningWarehouse) -> None:
    """`form_encode_query_params` sends text and values as fields of a form."""
    client = clickhouse_connect.get_client(dsn=warehouse.url, form_encode_query_params=True)
    assert client.query("select {n:UInt32}", parameters={"n": 13}).result_rows == [(13,)]
    client.close()


def test_external_data(writer: Any) -> None:
    """A table that travels with its query."""
    data = ExternalData(
        file_name="ext.csv", data=b"1,a\n2,b\n", fmt="CSV", structure=["n UInt32", "s String"]
    )
    assert writer.query("select sum(n) from ext", external_data=data).result_rows == [(3,)]


def test_a_session_of_the_client(warehouse: RunningWarehouse) -> None:
    """The client's own session keeps temporary tables and SET."""
    client = clickhouse_connect.get_client(dsn=warehouse.url)
    client.command("create temporary table mine (a Int8)")
    client.command("set max_block_size = 4321")
    client.insert("mine", [[3]], column_names=["a"])
    assert client.query("select a, getSetting('max_block_size') from mine").result_rows == [(3, 4321)]
    client.close()


def test_errors_carry_their_code(writer: Any) -> None:
    """The client sees ClickHouse's number."""
    with pytest.raises(DatabaseError) as caught:
        writer.query("select * from nowhere")
    assert caught.value.code == 60


def test_dedup_token_makes_a_retry_harmless(writer: Any) -> None:
    """A batch sent twice with its token is stored once."""
    writer.command(
        "create table once (a UInt32) engine MergeTree order by a "
        "settings non_replicated_deduplication_window = 100"
    )
    for _ in range(2):
        writer.insert(
            "once",
            [[n] for n in range(100)],
            column_names=["a"],
            settings={"insert_deduplication_token": "b1"},
        )
    assert writer.command("select count() from once") == 100


def test_the_reader_reads_all_it_should(reader: Any, writer: Any) -> None:
    """Queries, settings of the allow-list, arrow, frames, SHOW, DESCRIBE, EXPLAIN."""
    writer.command("create table shown (a UInt32) engine MergeTree order by a")
    writer.insert("shown", [[n] for n in range(10)], column_names=["a"])
    assert reader.query("select sum(a) from shown", settings={"max_threads": 1}).result_rows == [(45,)]
    assert reader.query_df("select a from shown").shape == (10, 1)
    assert reader.query_arrow("select a from shown").num_rows == 10
    for sql in ("show tables", "describe table shown", "explain select a from shown", "exists table shown"):
        assert reader.query(sql).result_rows


async def _use_async_client(warehouse: RunningWarehouse) -> None:
    client = await clickhouse_connect.get_async_client(dsn=warehouse.url, autogenerate_session_id=False)
    await client.command("create table asynced (a UInt32) engine MergeTree order by a")
    assert (
        await client.insert("asynced", [[n] for n in range(200_000)], column_names=["a"])
    ).written_rows == 200_000
    results = await asyncio.gather(*(client.query(f"select count() + {n} from asynced") for n in range(20)))
    assert [r.result_rows[0][0] for r in results] == [200_000 + n for n in range(20)]
    async with await client.query_rows_stream("select a from asynced") as stream:
        assert len([row async for row in stream]) == 200_000
    with pytest.raises(StreamFailureError):
        (await client.query(LATE_ERROR, settings={"wait_end_of_query": 0})).result_rows  # noqa: B018
    await client.close()


def test_async_client(warehouse: RunningWarehouse) -> None:
    """The asynchronous client, where its extra is installed (`clickhouse-connect[async]`)."""
    asyncio.run(_use_async_client(warehouse))


def test_many_clients_at_once(warehouse: RunningWarehouse, writer: Any) -> None:
    """Forty threads write and read one table; every row is there once."""
    writer.command("create table crowd (t UInt32, n UInt32) engine MergeTree order by (t, n)")
    failures: list[BaseException] = []

    def work(thread: int) -> None:
        try:
            for batch in range(5):
                rows = [[thread, batch * 100 + n] for n in range(100)]
                assert writer.insert("crowd", rows, column_names=["t", "n"]).written_rows == 100
                assert writer.query("select count() from crowd").result_rows[0][0] >= 100
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert writer.query("select count(), uniqExact(t, n) from crowd").result_rows == [(20_000, 20_000)]


def test_a_slow_reader_does_not_stop_the_others(warehouse: RunningWarehouse, writer: Any) -> None:
    """Six streams that nobody reads hold no place: the limit of running queries is three."""
    sql = "select number, toString(number) from numbers(20000000)"
    streams = [writer.raw_stream(sql, fmt="Native") for _ in range(6)]
    try:
        assert writer.query("select 1").result_rows == [(1,)]
    finally:
        for stream in streams:
            stream.close()
