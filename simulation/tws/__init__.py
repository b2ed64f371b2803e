"""The gateway: the broker's text protocol over loopback TCP, and the simulated broker behind it.

From the wire inwards: framing and fields (bytes to texts), requests (texts to values), replies (values to
texts), connection (one client), server (sockets and the pump). Written from the recorded messages and the
client's own source; shares nothing with adapters/ibkr, since two sides that share a codec agree on the same
mistake. Keep out: matching, accounts and prices (simulation/broker, simulation/market).
"""
