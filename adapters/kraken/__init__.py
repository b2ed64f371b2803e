"""Kraken Futures: fills from its REST answers and socket messages."""
