"""Who writes alerts: events once in a while, conditions from begin to end, and nothing is lost meanwhile.

What cannot be written waits in this process, with its true time, and is written once when the server is back
(the order of each code is kept): the caller need not come again. What goes wrong otherwise: an alert about an
outage of the very server that carries alerts is in no table. It is bounded; how many went beyond the bound is
an alert of its own. A process that is killed meanwhile leaves what waits in its log only.

Ages are counted by the machine's monotonic clock and turned into times by the server's: a clock that is set
moves no alert. Keep out: how a word looks (`alert_words`), what may wait (`alert_waiting`), how a condition
moves (`scripts/move_condition`).
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from adapters.redis import keys
from adapters.redis.alert_waiting import SAME_CODE_EVERY_S, Said, Step, WaitingWords
from adapters.redis.alert_words import Word, printable, printable_code, write_word
from adapters.redis.conditions import open_conditions
from adapters.redis.connection import asked, run_script
from trading.errors import InvalidFieldError, LiveStateUnavailableError
from trading.model.alerts import AlertKind, definition_of, is_condition

logger = logging.getLogger(__name__)

CONDITIONS_MAX = 20_000  # at a time; 500 bytes each
WAITING_MAX = 1_000  # words of a process while the server is away
RETRY_S = 1.0
RAISED_AGAIN_S = 10.0  # what this process knows to be open is asked about no sooner
ENDED_AGAIN_S = 60.0  # likewise what it knows to be over
CODES_KNOWN_MAX = 20_000
ROUNDS_MAX = 4  # of words that one step brings about
PROCESS_ENDED = "its process ended; what goes on is told anew"
CROWDED = "alerts_crowded"
LOST = "alerts_lost"


@dataclass(slots=True)
class _Known:
    """What this process knows of codes: spares questions, and outlives a server that lost everything."""

    open_ids: dict[str, str] = field(default_factory=dict)
    raised: dict[str, tuple[float, str]] = field(default_factory=dict)
    ended_at: dict[str, float] = field(default_factory=dict)

    def raised_now(self, code: str, identity: str, now: float, text: str) -> None:
        for known in (self.open_ids, self.raised, self.ended_at):
            if len(known) >= CODES_KNOWN_MAX:
                known.clear()
        self.open_ids[code], self.raised[code] = identity, (now, text)
        self.ended_at.pop(code, None)

    def ended_now(self, code: str, now: float) -> None:
        self.open_ids.pop(code, None)
        self.raised.pop(code, None)
        self.ended_at[code] = now


class AlertWriter:
    """One component's; may be shared between threads."""

    def __init__(
        self,
        client: Any,
        component: str,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        retry_s: float = RETRY_S,
        is_held_back: bool = False,
    ) -> None:
        self._client, self._component = client, component
        self._is_held_back, self._fencing = is_held_back, 0
        self._monotonic, self._retry_s = monotonic, retry_s
        self._known = _Known()
        self._lock = threading.Lock()
        self._waiting = WaitingWords(WAITING_MAX)  # under the lock
        self._retrying: threading.Thread | None = None

    def tell(self, code: str, text: str) -> bool:
        """Raise it as its definition says; False where it is not written yet."""
        code, text = printable_code(code), printable(text)
        if is_condition(code):
            return self._raise(code, text)
        return self._say(self._said(Step.EVENT, code, text, uuid4().hex))

    def tell_episode(self, code: str, text: str, market_at: datetime) -> bool:
        """Begin an episode that its code names for ever; False: who tells it comes again, nothing waits."""
        code = printable_code(code)
        said = self._said(Step.RAISE, code, printable(text), code)
        return self._say_now(replace(said, market_at=market_at.isoformat(), pause_ms=0))

    def end(self, code: str, by: str) -> bool:
        """Write that a condition is over, if it is open; False where that is not written yet."""
        if not is_condition(code):
            raise InvalidFieldError("code", "a condition: an event has no end", code)
        code = printable_code(code)
        now, before = self._monotonic(), self._known.ended_at.get(code)
        if before is not None and now - before < ENDED_AGAIN_S and not self._waits(code):
            return True
        return self._say(self._said(Step.END, code, printable(by), self._known.open_ids.get(code, "")))

    def end_episode(self, code: str, by: str) -> bool:
        """Likewise of an episode."""
        code = printable_code(code)
        return self._say_now(replace(self._said(Step.END, code, printable(by), code), pause_ms=0))

    def take_over(self) -> bool:
        """A process begins: what one of this component before it left open is over."""
        return self._say(self._said(Step.TAKE_OVER, "", PROCESS_ENDED, ""))

    def fence(self, number: int) -> bool:
        """Write under a lease's number from now on, also what was held back until there is one."""
        self._is_held_back, self._fencing = False, number
        return self._say(self._said(Step.FENCE, "", "", ""))

    def look(self, code: str) -> None:
        """Write what is due of a code, whoever raised it."""
        self._move("look", code, {}, SAME_CODE_EVERY_S * 1000)

    def restore(self, word: Word) -> None:
        """Know a condition again that a server lost with everything; raises LiveStateUnavailableError."""
        said = {
            "id": word.identity,
            "text": word.text,
            "component": word.component,
            "market_at": word.market_at,
            "since_ms": word.at_ms,
            "by": PROCESS_ENDED,
        }
        self._move("restore", word.code, said, 0 if word.identity == word.code else SAME_CODE_EVERY_S * 1000)

    def forget(self) -> None:
        """The server lost everything: what is told already is not known any more; names stay."""
        self._known.raised.clear()
        self._known.ended_at.clear()

    def waiting(self) -> int:
        """How many words wait for the server."""
        return len(self._waiting)

    def write_waiting(self) -> bool:
        """Write what waits; False where it goes on waiting."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._tell_dropped()
                said = self._waiting.first()
            if said is None:
                return True
            try:
                self._write(said)
            except LiveStateUnavailableError:
                with self._lock:
                    self._waiting.not_written(said)
                return False
            with self._lock:
                self._waiting.written(said)

    def _said(self, step: Step, code: str, text: str, identity: str) -> Said:
        return Said(step=step, code=code, text=text, at=self._monotonic(), identity=identity)

    def _raise(self, code: str, text: str) -> bool:
        at, told = self._known.raised.get(code, (float("-inf"), ""))
        if self._monotonic() - at < RAISED_AGAIN_S and told == text and not self._waits(code):
            return True
        return self._say(self._said(Step.RAISE, code, text, self._known.open_ids.get(code, uuid4().hex)))

    def _waits(self, code: str) -> bool:
        with self._lock:
            return self._waiting.has(code)

    def _say_now(self, said: Said) -> bool:
        """Write it, or not at all."""
        try:
            self._write(said)
        except LiveStateUnavailableError as error:
            logger.error(
                "alert_not_written %s code=%s text=%s error=%s", said.step, said.code, said.text, error
            )
            return False
        return True

    def _say(self, said: Said) -> bool:
        with self._lock:
            if self._waiting:  # those before it go first, and nobody waits for the same time-outs
                self._keep(said)
                return False
        try:
            self._write(said)
        except LiveStateUnavailableError as error:
            logger.error(
                "alert_waits step=%s code=%s text=%s error=%s", said.step, said.code, said.text, error
            )
            with self._lock:
                self._keep(said)
            return False
        return True

    def _keep(self, said: Said) -> None:
        """Let it wait, and see to it that it is tried again; the lock is held."""
        self._waiting.keep(said)
        if self._retrying is None:
            self._retrying = threading.Thread(target=self._retry, name="alerts-waiting", daemon=True)
            self._retrying.start()

    def _retry(self) -> None:
        while True:
            time.sleep(self._retry_s)
            self.write_waiting()
            with self._lock:
                if not self._waiting:
                    self._retrying = None
                    return

    def _tell_dropped(self) -> None:
        """Say how many were too many, once; the lock is held."""
        dropped = self._waiting.take_dropped()
        if dropped:
            text = f"{dropped} of {self._component} beyond {WAITING_MAX} that waited are in its log only"
            self._waiting.keep(self._said(Step.EVENT, LOST, text, uuid4().hex))

    def _write(self, said: Said) -> None:
        if said.step is Step.EVENT:
            self._write_event(said)
        elif self._is_held_back:
            raise LiveStateUnavailableError("who has no lease yet raises and ends no condition")
        elif said.step is Step.FENCE:
            self._move(said.step.value, "", {}, 0)
        elif said.step is Step.TAKE_OVER:
            self._end_left(said)
        else:
            self._write_condition(said)

    def _write_event(self, said: Said) -> None:
        if not said.is_marked:
            key = keys.ALERT_TOLD.at(code=said.code)
            asked(lambda: self._client.set(key, said.identity, nx=True, ex=SAME_CODE_EVERY_S))
            if self._told_by(key) != said.identity.encode():
                return
            said.is_marked = True
        logger.error("alert code=%s text=%s", said.code, said.text)
        age_ms = self._age_ms(said)
        word = Word(
            identity=said.identity,
            code=said.code,
            text=said.text,
            component=self._component,
            kind=AlertKind.EVENT,
            at_ms=None if age_ms < RETRY_S * 1000 else self._server_ms() - age_ms,
        )
        write_word(self._client, word)

    def _told_by(self, key: str) -> bytes | None:
        """Who told a code; of a key of another type nobody knows."""
        if asked(lambda: self._client.type(key)) != b"string":
            return None
        return asked(lambda: self._client.get(key))  # type: ignore[no-any-return]

    def _write_condition(self, said: Said) -> None:
        told = {
            "id": said.identity,
            "text": said.text,
            "component": self._component,
            "market_at": said.market_at,
            "age_ms": self._age_ms(said),
            "is_all": definition_of(said.code).is_fact,
        }
        identity = self._move(said.step.value, said.code, told, said.pause_ms)
        now = self._monotonic()
        if said.step is Step.END:
            self._known.ended_now(said.code, now)
        elif identity is None:
            logger.error("alert_crowded_out code=%s text=%s", said.code, said.text)
            text = f"more than {CONDITIONS_MAX} conditions are open; {said.code} is in the log only"
            self._write_event(self._said(Step.EVENT, CROWDED, text, uuid4().hex))
        else:
            self._known.raised_now(said.code, identity, now, said.text)

    def _move(self, step: str, code: str, said: Mapping[str, Any], pause_ms: int) -> str | None:
        """Take the step and write the words that it brings about; the episode's id, None without room."""
        key, identity = keys.ALERTS_CONDITIONS.at(), None
        for _ in range(ROUNDS_MAX):
            told = json.dumps({"component": self._component, "fencing": self._fencing, **said})
            answer = run_script(
                self._client, "move_condition", [key], (step, code, pause_ms, CONDITIONS_MAX, told)
            )
            if answer[0] == b"crowded":
                return None
            if answer[0] == b"fenced":
                logger.error("alert_fenced_out step=%s code=%s component=%s", step, code, self._component)
                return ""
            identity = answer[1].decode() if identity is None else identity
            words = list(json.loads(answer[2]))
            if not words:
                break
            step, said = "told", self._written(code, words)
        return identity

    def _written(self, code: str, words: list[Mapping[str, Any]]) -> Mapping[str, Any]:
        """Write words; what the script is to be told of them."""
        raised, text, over = "", "", []
        now_ms = self._server_ms()
        for each in words:
            is_raised = each["word"] == "raised"
            shown = each["text"]
            if is_raised:
                raised, text = each["id"], each["text"]
                shown = _with_times(each)
                logger.error("alert code=%s text=%s", code, shown)
            else:
                over.append(each["id"])
            word = Word(
                identity=each["id"],
                code=code,
                text=shown,
                component=each["component"],
                is_raised=is_raised,
                market_at=each.get("market_at", ""),
                at_ms=int(each["at_ms"]),
            )
            write_word(self._client, word, now_ms)
        return {"raised": raised, "text": text, "over": over}

    def _end_left(self, said: Said) -> None:
        for code, told in open_conditions(self._client):
            if told.get("holders") == {self._component: True} and told.get("id") != code:
                over = {"id": "", "text": said.text, "age_ms": self._age_ms(said)}
                self._move("end", code, over, SAME_CODE_EVERY_S * 1000)

    def _age_ms(self, said: Said) -> int:
        return max(0, int((self._monotonic() - said.at) * 1000))

    def _server_ms(self) -> int:
        seconds, microseconds = asked(self._client.time)
        return int(seconds) * 1000 + int(microseconds) // 1000


def _with_times(word: Mapping[str, Any]) -> str:
    times = int(word.get("times", 1))
    since = datetime.fromtimestamp(int(word["at_ms"]) / 1000, UTC)
    return str(word["text"]) if times < 2 else f"{word['text']} (came {times} times since {since:%H:%M:%S})"
