"""The market-data session: a connection of its own, what it subscribes to, what it hears, its capture.

Built as the broker session is (`adapters/ibkr/session`), with its parts where they serve both. Keep out: what
quotes, prints, books and chains become (`trading/market`), Redis, orders.
"""
