"""One request's parameters, sorted: ours, settings, bound values. Keep out execution."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from warehouse_server.accounts import Role
from warehouse_server.limits import SESSION_DEFAULT_S, SESSION_LONGEST_S
from warehouse_server.names import names
from warehouse_server.refusals import BAD_ARGUMENTS, READONLY, refuse
from warehouse_server.wire import Request

_OURS: Final = names(
    """
    query database user password quota_key session_id session_timeout session_check query_id
    default_format compress decompress wait_end_of_query buffer_size stacktrace role
    client_protocol_version close_session replace_running_query log_comment
    """
)
# Settings of the transport: understood or harmless here, meaningless to the engine.
_TRANSPORT: Final = names(
    """
    enable_http_compression http_zlib_compression_level send_progress_in_http_headers
    http_headers_progress_interval_ms cancel_http_readonly_queries_on_client_close
    http_wait_end_of_query http_response_buffer_size add_http_cors_header
    http_write_exception_in_output_format
    """
)
READER_SETTINGS: Final = names(
    """
    max_execution_time max_result_rows max_result_bytes result_overflow_mode max_rows_to_read
    max_threads max_block_size max_memory_usage max_query_size max_ast_elements
    max_expanded_ast_elements limit offset extremes join_use_nulls group_by_use_nulls final
    session_timezone date_time_output_format date_time_input_format
    cast_string_to_dynamic_use_inference prefer_column_name_to_alias use_query_cache query_cache_ttl
    output_format_native_encode_types_in_binary_format output_format_native_write_json_as_string
    input_format_native_decode_types_in_binary_format allow_experimental_analyzer enable_analyzer
    """
)
_READER_PREFIX: Final = "output_format_"
_READER_IGNORED: Final = frozenset(("readonly",))  # dashboards send readonly=1 or 2: they get 1
_PARAMETER: Final = "param_"
_TABLE_SUFFIXES: Final = ("_structure", "_types", "_format")  # of external tables
_SETTING_PREFIXES: Final = (
    "input_format_",
    "output_format_",
    "date_time_",
    "format_",
    "schema_",
    "column_names_",
)
QUERY_ID_LONGEST: Final = 1024


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """The named session that a request asks for; `must_exist` is `session_check=1`."""

    session_id: str
    timeout_s: int
    must_exist: bool


@dataclass(frozen=True, slots=True)
class Invocation:
    """What one request asks for, besides its statement."""

    role: Role
    method: str
    query: str
    query_id: str
    comment: str
    database: str | None
    settings: Mapping[str, str]
    bound: Mapping[str, str]
    default_format: str
    session: SessionRequest | None
    wait_for_end: bool
    progress: bool
    replace_running: bool
    framed_request: bool
    framed_response: bool
    content_encoding: str
    accept_encoding: str


def read_invocation(request: Request, role: Role) -> Invocation:
    """Sort the parameters; refuses settings that the reader may not have."""
    given = request.parameters
    headers = request.headers
    settings = {k: v for k, v in given.items() if not _is_ours(k)}
    compressible = given.get("enable_http_compression") == "1"
    return Invocation(
        role=role,
        method=request.method,
        query=given.get("query", ""),
        query_id=_query_id(given.get("query_id", "")),
        comment=given.get("log_comment", ""),
        database=given.get("database") or headers.get("x-clickhouse-database") or None,
        settings=_allowed(settings) if role is Role.READER else settings,
        bound={k.removeprefix(_PARAMETER): v for k, v in given.items() if k.startswith(_PARAMETER)},
        default_format=given.get("default_format") or headers.get("x-clickhouse-format") or "TabSeparated",
        session=_session(given),
        wait_for_end=_on(given, "wait_end_of_query") or _on(given, "http_wait_end_of_query"),
        progress=_on(given, "send_progress_in_http_headers"),
        replace_running=_on(given, "replace_running_query"),
        framed_request=_on(given, "decompress"),
        framed_response=_on(given, "compress"),
        content_encoding=headers.get("content-encoding", ""),
        accept_encoding=headers.get("accept-encoding", "") if compressible else "",
    )


def _is_ours(name: str) -> bool:
    if name in _OURS or name in _TRANSPORT or name.startswith(_PARAMETER):
        return True
    return name.endswith(_TABLE_SUFFIXES) and not name.startswith(_SETTING_PREFIXES)


def _allowed(settings: Mapping[str, str]) -> dict[str, str]:
    for name in settings:
        if name in READER_SETTINGS or name in _READER_IGNORED:
            continue
        if not name.startswith(_READER_PREFIX) or "schema" in name:
            raise refuse(READONLY, "READONLY", f"Cannot modify '{name[:128]}' setting in readonly mode")
    return {name: value for name, value in settings.items() if name not in _READER_IGNORED}


def _query_id(given: str) -> str:
    if len(given) > QUERY_ID_LONGEST:
        raise refuse(
            BAD_ARGUMENTS, "BAD_ARGUMENTS", f"expected a query_id of at most {QUERY_ID_LONGEST} characters"
        )
    if given:
        return given
    token = secrets.token_hex(16)
    return "-".join((token[:8], token[8:12], token[12:16], token[16:20], token[20:]))


def _session(given: Mapping[str, str]) -> SessionRequest | None:
    session_id = given.get("session_id", "")
    if not session_id:
        return None
    timeout = given.get("session_timeout", str(SESSION_DEFAULT_S))
    if not timeout.isascii() or not timeout.isdigit() or int(timeout) > SESSION_LONGEST_S:
        message = f"Invalid session timeout: '{timeout[:32]}', the most is {SESSION_LONGEST_S}"
        raise refuse(BAD_ARGUMENTS, "INVALID_SESSION_TIMEOUT", message)
    return SessionRequest(session_id, int(timeout), _on(given, "session_check"))


def _on(given: Mapping[str, str], name: str) -> bool:
    return given.get(name, "0").lower() in ("1", "true")
