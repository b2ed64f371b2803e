"""Frozen values that everyone speaks: instruments, money, times, fills, statements, positions, breaks."""
