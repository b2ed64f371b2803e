"""The broker session: one process owns the connection to the broker's gateway, hears all, loses nothing.

Pure parts (no socket, clock or chance of their own, all handed in): `session` and what it is composed of.
The edge: `link` (the client library's connection), `runner` (the event loop and the ports).
"""
