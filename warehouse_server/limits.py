"""Every bound of the server, with its unit and its reason. Keep out behavior."""

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB

# --- connections
CONNECTIONS_MAX: Final = 512  # threads: each costs about 100 KiB when idle
LISTEN_BACKLOG: Final = 512
IDLE_CONNECTION_S: Final = 120.0  # keep-alive; pools of the clients reconnect without a word
SOCKET_READ_S: Final = 60.0  # a body that stops coming
SOCKET_WRITE_S: Final = 300.0  # a reader that stops taking: longer than a pause in a person's notebook

# --- one request
REQUEST_HEAD_BYTES: Final = 1 * MIB  # request line with its parameters, and headers
QUERY_TEXT_BYTES: Final = 64 * MIB  # statements with long IN lists; data of an INSERT is not text
BODY_BYTES: Final = 64 * GIB  # a body streams through, so this guards the disk and not the memory
MULTIPART_BYTES: Final = 512 * MIB  # form bodies are held in memory
FRAME_BYTES: Final = 1 * MIB  # plain bytes in one block of ClickHouse's own framing
RECEIVE_BYTES: Final = 256 * KIB  # one recv

# --- execution
RUNNING_MAX: Final = 3  # fair limit; measured best p95 on two cores
KEPT_FOR_FIRST: Final = 2  # places more for those with the right of way: the drain asks twice at once
QUEUED_MAX: Final = 256  # beyond it: 503
QUEUE_WAIT_S: Final = 600.0

# --- answers
COALESCE_BYTES: Final = 64 * KIB  # small chunks are joined up to here
HOLD_S: Final = 0.1  # headers are held this long, so that an early error keeps its status
SPOOL_MEMORY_BYTES: Final = 16 * MIB  # wait_end_of_query: beyond it the answer goes to a temporary file
BUFFERED_RESULT_ROWS: Final = 1_000_000  # the engine does not count the bytes of constant columns
BUFFERED_RESULT_BYTES: Final = 64 * MIB  # formats that are one document: larger ones go through a pipe
READER_RESULT_BYTES: Final = 256 * MIB  # larger ones are refused: the reader may not write into a pipe
PIPE_READ_BYTES: Final = 1 * MIB

# --- sessions
SESSIONS_MAX: Final = 1024
SESSION_DEFAULT_S: Final = 60
SESSION_LONGEST_S: Final = 3600
SESSION_BUSY_WAIT_S: Final = 2.0  # the previous answer may still be on its way out of a busy machine

# --- ending
KILL_ATTEMPTS: Final = 240  # a kill may come before its query has begun
KILL_EVERY_S: Final = 0.25
DRAIN_S: Final = 20.0  # SIGTERM waits this long for running queries
FLUSH_S: Final = 5.0  # and this long for what the engine holds back
KILLED_DRAIN_S: Final = 3.0  # and this long for killed ones
DRAIN_BODY_BYTES: Final = 1 * GIB  # what is read of a body after its request failed
