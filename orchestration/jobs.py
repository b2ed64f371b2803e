"""Jobs that people, sensors and schedules start.

`land_inbox` takes files from the inbox. `close_the_books` builds everything from the fills to the marts for
a range of sessions. `reconcile_session` computes P&L and compares with the broker, without reading files
again. `fetch_statements` puts what the broker's web service makes into the inbox. `load_market` brings past
sessions of the market into the warehouse.
"""

import dagster as dg

from assets.sessions import exchange_sessions, market_sessions
from orchestration.fetching import fetch_statements

INBOX = dg.AssetSelection.groups("inbox")
RECORDS = dg.AssetSelection.groups("fills", "statements")
LIVE = dg.AssetSelection.groups("live")
BOOKS = dg.AssetSelection.groups("pnl", "reconciliation")
MARKET = dg.AssetSelection.groups("market")
MODELS = dg.AssetSelection.groups("staging", "intermediate", "marts")

land_inbox = dg.define_asset_job(
    "land_inbox",
    selection=INBOX,
    description="Take files from the inbox into the warehouse; started by the sensor `inbox`.",
    tags={"desk/kind": "landing"},
)
close_the_books = dg.define_asset_job(
    "close_the_books",
    selection=RECORDS | LIVE | BOOKS | MODELS,
    description=(
        "Fills, P&L, reconciliation and models for a range of sessions; safe to repeat for any range."
    ),
    partitions_def=exchange_sessions(),
    tags={"desk/kind": "books"},
)
reconcile_session = dg.define_asset_job(
    "reconcile_session",
    selection=BOOKS | MODELS,
    description="P&L and reconciliation of one session from what is in the warehouse, then the models.",
    partitions_def=exchange_sessions(),
    tags={"desk/kind": "books"},
)
load_market = dg.define_asset_job(
    "load_market",
    selection=MARKET,
    description=(
        "Market data of past sessions from recorded files and vendors' histories; "
        "safe to repeat for any range."
    ),
    partitions_def=market_sessions(),
    tags={"desk/kind": "market"},
)
JOBS = (land_inbox, close_the_books, reconcile_session, fetch_statements, load_market)
