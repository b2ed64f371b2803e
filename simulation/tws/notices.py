"""Codes and texts of notices and errors, as a gateway words them. Data; who sends which is elsewhere."""

from typing import Final

AMBIGUOUS: Final = (  # with code 200, where more than one contract is meant
    "The contract description specified for {symbol} is ambiguous; you must specify the multiplier or trading"
    " class."
)
INVALID_MOMENT: Final = (  # with code 10314
    "End Date/Time: The date, time, or time-zone entered is invalid. The correct format is yyyymmdd hh:mm:ss"
    " xx/xxxx where yyyymmdd and xx/xxxx are optional. E.g.: 20031126 15:59:00 US/Eastern. Or in UTC:"
    " yyyymmdd-hh:mm:ss, e.g. 20031126-20:59:00. Was: {text}"
)
START_UP: Final = (
    (2104, "Market data farm connection is OK:usfarm"),
    (2106, "HMDS data farm connection is OK:ushmds"),
    (2158, "Sec-def data farm connection is OK:secdefil"),
)
TEXTS: Final[dict[int, str]] = {
    100: "Max rate of messages per second has been exceeded:max={limit} rec={count} ({violation})",
    101: "Max number of tickers has been reached",
    103: "Duplicate order id",
    162: "Historical Market Data Service error message:{reason}",
    200: "No security definition has been found for the request",
    300: "Can't find EId with tickerId:{request_id}",
    309: "Max number ({limit}) of market depth requests has been reached",
    310: "Can't find the subscribed market depth with tickerId:{request_id}",
    317: "Market depth data has been RESET. Please empty deep book contents before applying any new entries.",
    320: "Server error when reading an API client request: {reason}",
    321: "Error validating request.-'{request}' : cause - {reason}",
    322: "Error processing request.-'{request}' : cause - {reason}",
    326: "Unable to connect as the client id is already in use. Retry with a unique client id.",
    354: "Requested market data is not subscribed.",
    365: "No scanner subscription found for ticker id:{request_id}",
    366: "No historical data query found for ticker id:{request_id}",
    420: "Invalid Real-time Query:{reason}",
    1100: "Connectivity between IBKR and Trader Workstation has been lost.",
    1101: "Connectivity between IBKR and Trader Workstation has been restored - data lost.",
    1102: "Connectivity between IBKR and Trader Workstation has been restored - data maintained."
    " All data farms are connected: usfarm; ushmds; secdefil.",
    1300: "Socket port has been reset and this connection is being dropped. Please reconnect on the new port"
    " -{port}",
    2103: "Market data farm connection is broken:usfarm",
    2104: "Market data farm connection is OK:usfarm",
    2105: "HMDS data farm connection is broken:ushmds",
    2106: "HMDS data farm connection is OK:ushmds",
    2107: "HMDS data farm connection is inactive but should be available upon demand.ushmds",
    2108: "Market data farm connection is inactive but should be available upon demand.usfarm",
    2110: "Connectivity between Trader Workstation and server is broken. It will be restored automatically.",
    2158: "Sec-def data farm connection is OK:secdefil",
    10092: "Deep market data is not supported for this combination of security type/exchange",
    10167: "Requested market data is not subscribed. Displaying delayed market data.",
    10185: "Failed to cancel PNL (not subscribed)",
    10186: "Failed to cancel PNL single (not subscribed)",
    10189: "Failed to request tick-by-tick data:{reason}",
    10197: "No market data during competing live session",
    10190: "Max number of tick-by-tick requests has been reached",
}


def text_of(code: int, **values: object) -> str:
    """The wording of a code with its values put in."""
    return TEXTS[code].format(**values)
