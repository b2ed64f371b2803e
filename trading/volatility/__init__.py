"""The one-day volatility index: which source is heard, what it did, and the regime of the day. Pure."""
