"""The simulated broker behind the gateway: accounts, orders, matching, executions, positions, its own books.

It knows nothing of the wire (`simulation/tws` speaks it) and nothing of the platform. Time comes in with
every call; the same seed, calls and times give the same events.
"""
