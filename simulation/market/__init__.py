"""The simulated market: its clock, its hours, what is listed, and quotes that depend on seed and time only.

Any question about a moment gets the same answer whatever was asked before, so that a client's subscriptions
never move the market. Keep out: orders (broker) and messages (tws).
"""
