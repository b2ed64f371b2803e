"""Moods of a stand-in on demand, while it runs: the next requests are answered with a fault.

    GET /_stub/fault?kind=status&value=503&count=3      a status          GET /_stub/fault?kind=drop
    GET /_stub/fault?kind=refusal&value=premium         words, with 200   GET /_stub/fault?kind=delay&value=2
    GET /_stub/fault?kind=cut&value=100                 a body broken off GET /_stub/fault?kind=drip&value=0.5
    GET /_stub/fault?kind=body&value={"data":7}         another body      GET /_stub/fault?kind=clear

For who plays a session by hand or by script; a test puts its faults into `StubVenue.faults`.
"""

from collections.abc import Mapping

from simulation.http.server import Answer, Fault, Request, StubVenue
from simulation.http.vendor_words import REFUSALS, refusal

CONTROL_PATH = "/_stub/fault"
COUNT_MOST = 1_000
SECONDS_MOST = 600.0
CLEAR = "clear"


class MoodyVenue(StubVenue):
    """A stand-in that takes faults over HTTP; asking for one uses none up."""

    def take_fault(self, request: Request) -> Fault | None:
        """Note the request and use up the next fault, unless it is about faults."""
        return None if request.path == CONTROL_PATH else super().take_fault(request)

    def mood(self, request: Request) -> Answer | None:
        """The answer to a request about faults; None where it is about something else."""
        if request.path != CONTROL_PATH:
            return None
        params = request.params
        try:
            count = int(params.get("count", "1"))
            if not 1 <= count <= COUNT_MOST:
                raise ValueError(f"count: expected 1 to {COUNT_MOST}, was {count}")
            if params.get("kind") == CLEAR:
                self.faults.clear()
            else:
                self.faults.extend([fault_of(params)] * count)
        except ValueError as error:
            return Answer.of({"ok": False, "error": str(error)}, status=400)
        return Answer.of({"ok": True, "faults": len(self.faults)})


def fault_of(params: Mapping[str, str]) -> Fault:
    """The fault that the words ask for; a ValueError names what is wrong with them."""
    kind, value = params.get("kind", ""), params.get("value", "")
    if kind == "status":
        return Fault(answer=Answer(b"", int(value)))
    if kind == "refusal":
        if value not in REFUSALS:
            raise ValueError(f"refusal: expected one of {', '.join(REFUSALS)}, was {value}")
        return Fault(answer=refusal(value))
    if kind == "body":
        return Fault(answer=Answer(value.encode()))
    if kind == "cut":
        return Fault(cut_at_bytes=int(value))
    if kind == "delay":
        return Fault(delay_s=_seconds(value))
    if kind == "drip":
        return Fault(drip_s=_seconds(value))
    if kind == "drop":
        return Fault(drop=True)
    raise ValueError(f"kind: expected status, refusal, body, cut, delay, drip, drop or clear, was {kind}")


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.0 <= seconds <= SECONDS_MOST:
        raise ValueError(f"value: expected 0 to {SECONDS_MOST:g} seconds, was {text}")
    return seconds
