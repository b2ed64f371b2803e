"""`desk sql` where the reader of its output leaves early, and where the address is none."""

import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from desk_command import DESK, environment

LINES = 200_000  # far more than a pipe holds
WAIT_S = 120


class Lines(BaseHTTPRequestHandler):
    """Answers every question with the same many lines."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.send_header("X-ClickHouse-Format", "JSONEachRow")
        self.end_headers()
        try:
            for _ in range(LINES // 1000):
                self.wfile.write(b'{"a":"0123456789"}\n' * 1000)
        except OSError:
            return  # the asker has left

    def log_message(self, format: str, *arguments: object) -> None:
        return


@pytest.fixture
def reader_url() -> Iterator[str]:
    """The address of such a server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Lines)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://reader:secret@127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("form", ["json", "csv"])
def test_a_reader_that_has_seen_enough_ends_the_command_in_silence(
    tmp_path: Path, reader_url: str, form: str
) -> None:
    """`desk sql … | head -1`: code 0, nothing on stderr."""
    process = subprocess.Popen(
        [str(DESK), "sql", "--format", form, "select 1"],
        env=environment(tmp_path, CLICKHOUSE_READER_URL=reader_url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None
    assert "0123456789" in process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=WAIT_S) == 0


def test_output_that_nobody_reads_is_no_error(tmp_path: Path, reader_url: str) -> None:
    """`desk env | true`: the reader is gone before the first line."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = subprocess.run(
        [str(DESK), "env", "--json"],
        env=environment(tmp_path, CLICKHOUSE_READER_URL=reader_url),
        stdout=write_end,
        stderr=subprocess.PIPE,
        timeout=WAIT_S,
        check=False,
    )
    os.close(write_end)
    assert (process.returncode, process.stderr) == (0, b"")


@pytest.mark.parametrize(
    "url",
    [
        "http://reader:secret@127.0.0.1:eighty",
        "http://reader:secret@127.0.0.1:99999",
        "127.0.0.1:8123",
        "ftp://reader:secret@127.0.0.1:8123",
        "http://reader:secret@:8123",
        "http://reader:secret@[::1:8123",
    ],
)
def test_an_address_that_is_none_is_one_sentence_without_the_password(tmp_path: Path, url: str) -> None:
    """Code 2 and the name of the field; no traceback, and no part of what may be a secret."""
    process = subprocess.run(
        [str(DESK), "sql", "select 1"],
        env=environment(tmp_path, CLICKHOUSE_READER_URL=url),
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert process.returncode == 2
    assert process.stderr.startswith("CLICKHOUSE_READER_URL: expected http[s]://user:password@host:port")
    assert "secret" not in process.stderr
    assert "Traceback" not in process.stderr
