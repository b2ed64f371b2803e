"""Rows that no adapter would write, as inserts: what checks must find."""

AT = "'2026-07-17 16:00:00'"


def revisions(*rows: str) -> str:
    """An insert of revisions: fill_id, quantity, price, fill time and time of ingestion of each."""
    head = "insert into core.fill_revisions (venue, account, session, source, kind, side, asset_class, "
    head += "batch_id, received_at, fill_id, quantity, price, fill_ts, ingested_at) values "
    fixed = "'ibkr', 'A', '2026-07-17', 'live', 'trade', 'BUY', 'option', 'b', '2026-07-17 16:00:01'"
    return head + ", ".join(f"({fixed}, {row})" for row in rows)
