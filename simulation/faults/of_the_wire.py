"""Faults of the telling: link, server state, start-up, executions and commissions."""

from datetime import timedelta

from simulation.faults.fault import Fault, Group, wire_switch
from simulation.faults.language import Values
from simulation.faults.stage import Stage
from simulation.tws.notices import TEXTS

NOTHING = timedelta()


def _seconds(values: Values) -> timedelta:
    return timedelta(seconds=values["seconds"])


def _notice(stage: Stage, values: Values) -> None:
    code = values["code"]
    if code not in TEXTS:
        raise ValueError(f"code: expected one that has words of its own, was {code} (use `saying`)")
    stage.server.notify(code)


def _restart(stage: Stage, values: Values) -> None:
    stage.go(stage.server.restart(values["seconds"]))


LINK = (
    Fault(
        words="drop link",
        group=Group.LINK,
        says="Every connection is reset without a word.",
        act=lambda stage, values: stage.server.drop_links(),
        drawn="drop link",
    ),
    Fault(
        words="drop link mid-message",
        group=Group.LINK,
        says="Half of a message goes out, then every connection is reset.",
        act=lambda stage, values: stage.server.drop_links(mid_message=True),
        drawn="drop link mid-message",
    ),
    Fault(
        words="drop client <number>",
        group=Group.LINK,
        says="The connection of one client is reset.",
        act=lambda stage, values: stage.server.drop_links(client_id=values["number"]),
    ),
    wire_switch(
        "half-open link", Group.LINK, "Sockets stay, nothing goes out and nothing is read.", "half_open"
    ),
    wire_switch(
        "refuse connections", Group.LINK, "New connections are closed at once.", "refuse_connections"
    ),
    wire_switch(
        "split writes <count> bytes",
        Group.LINK,
        "Messages leave in pieces of so many bytes.",
        "chunk_bytes",
        lambda values: values["count"],
        off=0,
        drawn="split writes 7 bytes",
    ),
    wire_switch(
        "coalesce writes <seconds> s",
        Group.LINK,
        "Messages are collected so long (wall time) and leave in one segment.",
        "hold_writes_s",
        lambda values: values["seconds"],
        off=0.0,
        drawn="coalesce writes 0.05 s",
    ),
    Fault(
        words="restart gateway <seconds> s",
        group=Group.LINK,
        says="As every night: connections end, so many wall seconds later it listens again.",
        act=_restart,
        drawn="restart gateway 0.2 s",
    ),
)
SERVER = (
    Fault(
        words="lose broker",
        group=Group.SERVER,
        says="1100: clients stay, what happens is told when it is back.",
        act=lambda stage, values: stage.server.lose_broker(),
        undo=lambda stage, values: stage.server.find_broker(data_lost=False),
        drawn="lose broker",
    ),
    Fault(
        words="find broker data lost",
        group=Group.SERVER,
        says="1101: back, subscriptions must be asked for again.",
        act=lambda stage, values: stage.server.find_broker(data_lost=True),
    ),
    Fault(
        words="find broker data kept",
        group=Group.SERVER,
        says="1102: back, subscriptions go on.",
        act=lambda stage, values: stage.server.find_broker(data_lost=False),
    ),
    Fault(
        words="notice <code>",
        group=Group.SERVER,
        says="A notice with the code's own wording to everybody (2103, 2105, 2110, 10197, …).",
        act=_notice,
        drawn="notice 2103",
    ),
    Fault(
        words="notice <code> saying <text>",
        group=Group.SERVER,
        says="Any code with any words to everybody.",
        act=lambda stage, values: stage.server.notify(values["code"], values["text"]),
    ),
    Fault(
        words="move port",
        group=Group.SERVER,
        says="1300: the socket port is reset and connections are dropped.",
        act=lambda stage, values: stage.server.move_port(),
    ),
    wire_switch(
        "jump next id <count>",
        Group.SERVER,
        "The next valid id told at connect is so much higher.",
        "next_id_jump",
        lambda values: values["count"],
        off=0,
        drawn="jump next id 500",
    ),
)
START = tuple(
    wire_switch(
        f"omit end of {what}",
        Group.START,
        f"The answer about {what} never ends.",
        f"omit_{what.replace(' ', '_')}_end",
    )
    for what in ("executions", "completed orders", "open orders", "positions")
)
EXECUTIONS = (
    Fault(
        words="resend last <count> executions",
        group=Group.EXECUTIONS,
        says="The last executions of the day are told live once more.",
        act=lambda stage, values: stage.server.resend_executions(values["count"]),
        drawn="resend last 50 executions",
    ),
    wire_switch(
        "repeat executions <count> times",
        Group.EXECUTIONS,
        "Every execution is told so often.",
        "execution_copies",
        lambda values: values["count"],
        off=1,
        drawn="repeat executions 3 times",
    ),
    wire_switch(
        "hide executions",
        Group.EXECUTIONS,
        "Executions are not told live; the executions answer has them.",
        "execution_copies",
        0,
        off=1,
        drawn="hide executions",
    ),
    wire_switch(
        "delay executions <seconds> s",
        Group.EXECUTIONS,
        "Executions are told so much later.",
        "execution_delay",
        _seconds,
        off=NOTHING,
        drawn="delay executions 90 s",
    ),
    wire_switch(
        "reorder executions <count>",
        Group.EXECUTIONS,
        "So many executions are collected and told last first.",
        "execution_reorder",
        lambda values: values["count"],
        off=1,
        drawn="reorder executions 4",
    ),
    wire_switch(
        "replay last revision only",
        Group.EXECUTIONS,
        "The executions answer has only the last revision of each.",
        "replay_last_revision_only",
        drawn="replay last revision only",
    ),
    wire_switch(
        "zone <word>",
        Group.EXECUTIONS,
        "Execution times carry a word that may be no zone (EDT): clients drop the message.",
        "execution_zone",
        lambda values: values["word"],
        off="",
        drawn="zone EDT",
    ),
    wire_switch(
        "field count <change>",
        Group.EXECUTIONS,
        "Execution messages have so many fields too many or (negative) too few.",
        "execution_extra_fields",
        lambda values: int(values["change"]),
        off=0,
        drawn="field count 1",
    ),
)
COMMISSIONS = (
    wire_switch(
        "commissions first",
        Group.COMMISSIONS,
        "A report goes out before its execution.",
        "commission_first",
        drawn="commissions first",
    ),
    wire_switch(
        "repeat commissions <count> times",
        Group.COMMISSIONS,
        "Every report is told so often.",
        "commission_copies",
        lambda values: values["count"],
        off=1,
        drawn="repeat commissions 2 times",
    ),
    wire_switch(
        "hide commissions",
        Group.COMMISSIONS,
        "Reports are not told live; the executions answer has them.",
        "commission_copies",
        0,
        off=1,
        drawn="hide commissions",
    ),
)
WIRE_FAULTS: tuple[Fault, ...] = (*LINK, *SERVER, *START, *EXECUTIONS, *COMMISSIONS)
