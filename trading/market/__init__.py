"""What becomes of market data as it is heard: quotes, books, signed prints, bars, chains.

Belongs here: values in, rows out, nothing else; time comes as an argument. Keep out: who heard it, where it
goes, analytics.
"""
