"""The world in a box: what the venues and the broker would have said, from a seed.

Imports only trading.model and trading.calendar. Its books and its P&L are its own, because a reconciliation
of our engine against figures that our engine made would prove nothing.
"""
