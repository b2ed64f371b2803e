"""Server versions: which are spoken, and what each added. Data the codec asks; one place to see them all."""

import re

OLDEST = 157  # what both client libraries ask for at least
NEWEST = 176  # the last version of the text protocol this gateway speaks
SUPPORTED = (165, 169, 173, 176)  # levels of real gateways the tests hold us to

DURATION = 158  # placed orders; in open orders from 159
DURATION_TOLD = 159
POST_TO_ATS = 160
AUTO_CANCEL_PARENT = 162
SIZE_RULES = 164  # contract details: no leading version, three size fields
REJECT_JSON = 166
MANUAL_TIME = 169
PEG_BEST_MID = 170
ISSUER_ID = 176

RANGE = re.compile(r"^v(\d{1,6})(?:\.\.(\d{1,6}))?(?: (.*))?$", re.DOTALL)


class NoCommonVersion(Exception):
    """The client asks for versions this gateway does not speak."""


def negotiated(asked: str, own: int) -> int:
    """The version both speak: the lower of the two maxima.

    A client whose minimum is above ours is told our version all the same, as a real gateway does: it is for
    the client to say that the gateway is out of date. A client that ends below OLDEST is refused.
    """
    match = RANGE.match(asked)
    if match is None:
        raise NoCommonVersion(f"version range: expected 'v<min>..<max>', was {asked[:40]!r}")
    newest = int(match.group(2) or match.group(1))
    if newest < OLDEST:
        raise NoCommonVersion(f"version range: expected a maximum of {OLDEST} or more, was {newest}")
    return min(newest, own)
