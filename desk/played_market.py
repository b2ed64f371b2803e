"""A recorded market in the foreground, and a drawn one as files: what `desk market` does.

Keep out: the words of the command line (`desk/commands/market.py`).
"""

import asyncio
from dataclasses import replace
from datetime import date
from pathlib import Path

from desk.answers import ExitCode, say
from desk.play_folder import PlayFolder
from desk.residents.gateway import PlayedSession, plan_of, serve
from simulation.gateway import Gateway
from simulation.market.lean_writing import write_market
from simulation.market.replay import RecordedWorld
from simulation.market.world import new_world
from simulation.sample_desk.contracts import UNDERLYINGS
from trading.errors import InvalidFieldError
from trading.settings import Settings


def play(settings: Settings, *, by_hand: bool) -> ExitCode:
    """Play the settings' recorded days until Ctrl-C; `by_hand` leaves the clock to the control port."""
    folder = PlayFolder.of(settings)
    folder.begin_again()
    plan = plan_of(settings, folder)
    plan = replace(plan, session=folder.session, speed=None if by_hand else plan.speed)
    played = PlayedSession(settings, folder, plan)
    _introduce(played.gateway)
    asyncio.run(serve(played, _tell_ports))
    return ExitCode.DONE if played.gateway.server.failure is None else ExitCode.NOT_POSSIBLE


def write_drawn(seed: int, session: date, sessions: int, symbols: tuple[str, ...], out: Path) -> int:
    """Write a drawn market's sessions as files and count them."""
    world = new_world(seed, session, sessions)
    try:
        return len(write_market(world, symbols, out))
    except ValueError as error:
        known = ", ".join(sorted({each.symbol for each in UNDERLYINGS}))
        raise InvalidFieldError("--symbols", f"some of {known}", ",".join(symbols)) from error


def _introduce(gateway: Gateway) -> None:
    world = gateway.world
    options = sum(contract.asset == "OPT" for contract in world.listings.by_conid.values())
    days = ", ".join(map(str, world.sessions))
    speed = "the clock is moved by hand" if gateway.clock.is_manual else f"{gateway.clock.speed:g} s a second"
    say(f"Recorded: {days}; {options} option series; {speed}.")
    if isinstance(world, RecordedWorld):
        for remark in world.remarks():
            say(f"  {remark}")


def _tell_ports(gateway: Gateway) -> None:
    say(
        f"Clients: 127.0.0.1:{gateway.port}; faults and steps: 127.0.0.1:{gateway.control_port}; "
        "Ctrl-C ends it."
    )
