"""ClickHouse: the client, the migrator, and the stores behind the ports. The only code that imports
clickhouse_connect.
"""
