"""The live part of the main job from its beginning to its figures: play, fetch the statements, book, compare.

A failure of this part is told and never undoes the month's. Belongs here: the order of the steps, and how
their figures read. Keep out: each step.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from adapters.clickhouse.client import Warehouse
from adapters.configuration import load_settings
from desk.answers import Advance, as_mapping, complain, say
from desk.dagster_api import DagsterApi
from desk.live_figures import LiveFigures, figures_of
from desk.live_market import LiveMarket, assets_are_shown, show_its_assets, show_market
from desk.live_session import LiveSession, play_live_session
from desk.live_statements import fetch_played_statements
from desk.main_job import JobReport, run_main_job
from desk.play_folder import PlayFolder, session_to_play
from trading.errors import DeskError
from trading.settings import Settings

DIFFERENCES_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePart:
    """What the live part did; `report` is None where its statements were known, `failure` is why it ended."""

    session: LiveSession | None = None
    figures: LiveFigures | None = None
    report: JobReport | None = None
    market: LiveMarket | None = None
    failure: str = ""

    @property
    def is_as_it_should_be(self) -> bool:
        """Whether the warehouse has exactly what happened at the broker."""
        is_proved = self.figures is not None and not self.figures.differences and not self.figures.gaps
        return is_proved and not self.failure

    def document(self) -> Mapping[str, Any]:
        """As plain values, for `--json`."""
        if self.session is None or self.figures is None:
            return {"failure": self.failure}
        shown = dict(as_mapping(self.figures))
        shown["differences"] = [as_mapping(item) for item in self.figures.differences]
        return {
            "session": self.session.session.isoformat(),
            "seconds": round(self.session.seconds, 1),
            "repeats": self.figures.repeats,
            **shown,
            "market": as_mapping(self.market),
        }


def play_live_part(
    settings: Settings, warehouse: Warehouse, api: DagsterApi, seed: int, advance: Advance
) -> LivePart:
    """Play the session after the month and prove it; an error of ours becomes the part's failure."""
    configured = load_settings(with_stack=False)

    def book(folder: PlayFolder) -> JobReport | None:
        known = set(settings.paths.inbox.glob("*.xml"))
        fetched = fetch_played_statements(folder, configured)
        is_new = any(settings.paths.inbox / item.file not in known for item in fetched)
        return run_main_job(settings, warehouse, api, advance) if is_new else None

    day = session_to_play(configured.gateway)
    hears_market = not LiveMarket.of(day, warehouse).is_heard
    try:
        session, report = play_live_session(configured, seed, advance, book, hears_market=hears_market)
        figures = figures_of(session, warehouse)
        market = LiveMarket.of(day, warehouse)
    except DeskError as error:
        return LivePart(failure=str(error))
    failure = _shown(day, api, advance)
    return LivePart(session=session, figures=figures, report=report, market=market, failure=failure)


def _shown(day: date, api: DagsterApi, advance: Advance) -> str:
    """Let Dagster show the market; why it could not, which costs the fills nothing."""
    try:
        if not assets_are_shown(day, api):
            show_its_assets(day, api, advance)
    except DeskError as error:
        return str(error)
    return ""


def both(month: JobReport, live: LivePart | None) -> JobReport:
    """The report of the month's files and of those that the live part brought, as one."""
    if live is None or live.report is None:
        return month
    return dataclasses.replace(
        live.report,
        files_new=month.files_new + live.report.files_new,
        runs=(*live.report.runs, *month.runs),
        rows_before=month.rows_before,
    )


def show_live(live: LivePart) -> None:
    """Print the figures for people."""
    if live.session is None or live.figures is None:
        complain(f"the live session: {live.failure}")
        return
    told = live.figures
    say(
        f"The live session of {live.session.session}, played in {live.session.seconds:.0f} s: {told.heard} "
        f"executions heard, {told.repeats} told again and stored once, {told.corrected} corrected, "
        f"{told.busted} busted, {told.sweeps} sweeps, {told.holes} holes found and "
        f"{told.holes_closed} closed, {told.position_differences} position differences noticed and "
        f"{told.position_differences_lifted} lifted."
    )
    if told.latency_p50_ms is not None and told.latency_p99_ms is not None:
        say(
            f"From the gateway's sending to the row: p50 {told.latency_p50_ms:.0f} ms, "
            f"p99 {told.latency_p99_ms:.0f} ms."
        )
    if told.fill_latency_p50_ms is not None and told.fill_latency_p99_ms is not None:
        say(f"To its fill: p50 {told.fill_latency_p50_ms:.0f} ms, p99 {told.fill_latency_p99_ms:.0f} ms.")
    if told.gaps:
        complain(f"{told.gaps} gaps in the numbers of the outbox: select * from audit.outbox_gaps")
    count = len(told.differences)
    say(
        f"Its {told.fills} fills, P&L and cash equal the gateway's journal, row for row."
        if not count
        else f"{count} differences from the gateway's journal."
    )
    if live.market is not None:
        show_market(live.market)
    if live.failure:
        complain(f"the market's assets: {live.failure}")
    for difference in told.differences[:DIFFERENCES_SHOWN]:
        complain(f"not as the gateway's journal has it: {difference}")
