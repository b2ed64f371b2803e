"""Thin sensors: ask "what is pending?" and return run requests. No work is done in a tick."""
