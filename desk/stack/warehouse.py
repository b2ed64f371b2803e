"""The embedded warehouse as a service of the stack."""

import sys

import httpx

from desk.stack.layout import StackLayout
from desk.stack.passwords import Passwords
from desk.stack.ports import LOOPBACK
from desk.stack.service import Service

NAME = "warehouse"
PROBE_TIMEOUT_S = 2.0
STOP_GRACE_S = 30.0  # the server lets running queries end first (20 s), then kills them


def warehouse_url(user: str, password: str, port: int) -> str:
    """The address with credentials, in the form clients of a real server take."""
    return f"http://{user}:{password}@{LOOPBACK}:{port}"


def warehouse_service(layout: StackLayout, passwords: Passwords, port: int) -> Service:
    """How the warehouse server is started and asked."""
    return Service(
        name=NAME,
        command=(
            sys.executable,
            "-m",
            "warehouse_server",
            "--directory",
            str(layout.warehouse),
            "--port",
            str(port),
        ),
        environment={
            "WAREHOUSE_WRITER_PASSWORD": passwords.warehouse_writer,
            "WAREHOUSE_READER_PASSWORD": passwords.warehouse_reader,
        },
        port=port,
        url=f"http://{LOOPBACK}:{port}",
        is_ready=lambda _: answers_query(port, "writer", passwords.warehouse_writer),
        stop_grace_s=STOP_GRACE_S,
    )


def answers_query(port: int, user: str, password: str) -> bool:
    """Whether the server runs a query for this user."""
    try:
        answer = httpx.post(
            f"http://{LOOPBACK}:{port}/",
            content="select 1",
            headers={"X-ClickHouse-User": user, "X-ClickHouse-Key": password},
            timeout=PROBE_TIMEOUT_S,
            trust_env=False,
            verify=False,  # noqa: S501 - plain on loopback, and reading the certificates costs 20 ms a question
        )
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK and answer.text.strip() == "1"
