"""P&L from fills, exact: lots, matches, cash and daily results, one session at a time. Pure: values in,
values out.
"""
