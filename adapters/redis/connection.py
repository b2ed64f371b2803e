"""How Redis is reached and asked: one client per adapter, few tries, and one error for "no answer".

An error never reads as an empty answer, and a URL is never quoted: it carries a password. What is asked
here may be asked twice: a script that must not run twice carries a token of its own.
"""

import random
import time
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from trading.errors import ConfigurationError, LiveStateUnavailableError

ANSWER_TIMEOUT_S = 2.0
ATTEMPTS_MAX = 3
BACKOFF_FIRST_S = 0.05
HEALTH_CHECK_S = 30

Answer = TypeVar("Answer")


def open_client(url: str, timeout_s: float = ANSWER_TIMEOUT_S) -> Any:
    """Return a client that connects at its first use and may be shared between threads."""
    try:
        return redis.Redis.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
            health_check_interval=HEALTH_CHECK_S,
        )
    except ValueError as cause:
        raise ConfigurationError("REDIS_URL: expected redis://[user:password@]host:port/number") from cause


def asked(ask: Callable[[], Answer]) -> Answer:
    """Ask up to ATTEMPTS_MAX times while the connection fails; in the end that is unavailability."""
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            return ask()
        except (redis.ConnectionError, redis.TimeoutError, OSError) as error:
            if attempt == ATTEMPTS_MAX or isinstance(error, redis.AuthenticationError):
                raise LiveStateUnavailableError(f"live state cannot answer now: {error}") from error
            time.sleep(BACKOFF_FIRST_S * attempt * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret
        except redis.RedisError as error:
            raise LiveStateUnavailableError(f"live state refused: {error}") from error
    raise AssertionError("the loop returns or raises")


def run_script(client: Any, name: str, keys: Sequence[str], arguments: Sequence[object]) -> Any:
    """Run one of `scripts/` on the server; it is loaded again where the server lost it."""
    script = client.register_script(_script(name))
    return asked(lambda: script(keys=list(keys), args=list(arguments)))


def run_scripts(
    client: Any, name: str, calls: Sequence[tuple[Sequence[str], Sequence[object]]]
) -> Sequence[Any]:
    """Run a script once for each (keys, arguments) in one round trip; a refusal stands in its answer's place.

    A server that lost the script is given it, and what it refused is sent again. A connection that breaks
    lets all be sent again: a script that must not run twice carries a token.
    """
    script = client.register_script(_script(name))

    def send(places: Sequence[int]) -> list[Any]:
        with client.pipeline(transaction=False) as pipe:
            for place in places:
                keys, arguments = calls[place]
                pipe.execute_command("EVALSHA", script.sha, len(keys), *keys, *arguments)
            return list(pipe.execute(raise_on_error=False))

    answers = asked(lambda: send(range(len(calls))))
    missing = [n for n, answer in enumerate(answers) if isinstance(answer, redis.exceptions.NoScriptError)]
    if missing:
        asked(lambda: client.script_load(_script(name)))
        for place, answer in zip(missing, asked(lambda: send(missing)), strict=True):
            answers[place] = answer
    return answers


GONE = ("NOGROUP", "UNBLOCKED")  # not there when asked; taken away while somebody waited


def group_is_missing(error: Exception) -> bool:
    """Say whether a stream or its group is not there: a fresh server, or one that was flushed."""
    return isinstance(error, redis.ResponseError) and str(error).startswith(GONE)


def is_of_another_type(error: Exception) -> bool:
    """Say whether a key holds another type than the one it was asked as."""
    return isinstance(error, redis.ResponseError) and str(error).startswith("WRONGTYPE")


def group_exists(error: Exception) -> bool:
    """Say whether a group could not be made because it is there."""
    return isinstance(error, redis.ResponseError) and str(error).startswith("BUSYGROUP")


@cache
def _script(name: str) -> str:
    return files("adapters.redis").joinpath("scripts", f"{name}.lua").read_text(encoding="utf-8")
