"""Kalshi: fills of event contracts from its REST answers and socket messages."""
