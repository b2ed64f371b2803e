"""Processes that stay: each is started by the stack, says that it lives, and ends on SIGTERM."""
