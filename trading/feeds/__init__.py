"""Feeds that are asked for: how often (limiter), whether at all (breaker), when again (retry), by whom."""
