"""People's and processes' composition root: the `desk` command line and the embedded stack.

Keep out: trading rules (`trading/`), drivers (`adapters/`), Dagster (watched over GraphQL only).
"""
