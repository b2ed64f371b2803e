"""The client asks once what types a table's columns have, and again where they may have changed."""

from embedded_warehouse import RunningWarehouse

from adapters.clickhouse.client import Warehouse

ASKED = "select count() from system.query_log where query like 'DESCRIBE TABLE %typed%'"


def asked(client: Warehouse) -> int:
    """How often the table was described since the server began."""
    client.command("system flush logs")
    return int(client.value(ASKED + " and type = 'QueryFinish'"))


def test_a_table_is_described_for_its_first_insert_only(warehouse: RunningWarehouse) -> None:
    """Three inserts, one question."""
    client = Warehouse(warehouse.url)
    client.command("create table typed (a UInt8, b String) engine = MergeTree order by a")
    before = asked(client)
    for number in range(3):
        client.insert("default.typed", ("a", "b"), [(number, "x")], token=f"{number}")
    assert asked(client) == before + 1
    assert client.value("select count() from typed") == 3


def test_a_column_that_became_another_is_described_again(warehouse: RunningWarehouse) -> None:
    """The insert that is refused by the new table is a failure, and the next one fits."""
    client = Warehouse(warehouse.url)
    client.command("create table changed (a UInt8, b Array(String)) engine = MergeTree order by a")
    client.insert("default.changed", ("a", "b"), [(1, ["x"])], token="1")
    client.command("drop table changed sync")
    client.command("create table changed (a UInt8, b Map(String, UInt8)) engine = MergeTree order by a")
    row = (2, {"x": 1})
    for _ in range(2):
        try:
            client.insert("default.changed", ("a", "b"), [row], token="2")
        except Exception:
            continue
    assert client.value("select count() from changed") == 1
