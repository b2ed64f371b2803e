"""The exchange's public file of the one-day volatility index, one row a session."""
