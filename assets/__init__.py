"""Thin Dagster assets and their checks: parameters, one service call, metadata. No SQL, no sums."""
