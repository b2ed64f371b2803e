"""`desk migrate`: bring the warehouse to this version's schema."""

from adapters.clickhouse.migrator import MigrationReport
from adapters.clickhouse.migrator import migrate as apply_migrations
from adapters.configuration import load_settings
from adapters.wiring import open_warehouse
from desk.answers import AsJson, ExitCode, as_mapping, finish, print_json, progress, say


def migrate(as_json: AsJson = False) -> None:
    """Apply the migrations that are missing; safe to repeat and to run twice at once.

    Examples:

        desk migrate

        desk migrate --json
    """
    report = apply_missing()
    if as_json:
        print_json(as_mapping(report))
    else:
        show_report(report)
    finish(ExitCode.DONE)


def apply_missing() -> MigrationReport:
    """Apply what is missing."""
    settings = load_settings()
    with progress() as advance:
        advance("migrating", 0, None)
        return apply_migrations(open_warehouse(settings), cluster=settings.services.warehouse_cluster)


def show_report(report: MigrationReport) -> None:
    """What was applied, for people."""
    for name in report.applied:
        say(f"applied {name}")
    say(f"{len(report.applied)} applied now, {len(report.present)} were there.")
    for what in report.left_out:
        say(f"left out: {what}")
