"""The embedded ClickHouse: its HTTP interface over the chDB engine, one process, one data directory.

Here belongs what stands between a socket and the engine: wire, accounts, admission, streaming, shutdown.
Keep out everything that knows what the tables mean. Loopback only; `CLICKHOUSE_URL` may name a real server.
"""
