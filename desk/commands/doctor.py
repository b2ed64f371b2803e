"""`desk doctor`: look at everything the desk depends on, name what is missing, say how to mend it."""

from adapters.configuration import load_settings
from desk.answers import AsJson, ExitCode, as_mapping, finish, print_json, print_table, progress, say
from desk.examination import examine
from desk.finding import Finding, Verdict


def doctor(as_json: AsJson = False) -> None:
    """Check packages, disk, ports, services, schema; who gets which market data line, what vendors are asked.

    Each finding says how to mend it. Exit code 2 when something is broken.

    Examples:

        desk doctor

        desk doctor --json
    """
    with progress() as advance:
        findings = examine(load_settings(), load_settings(with_stack=False), advance)
    broken = [finding for finding in findings if finding.verdict is Verdict.BROKEN]
    if as_json:
        print_json({"healthy": not broken, "findings": [as_mapping(finding) for finding in findings]})
    else:
        _show(findings)
        say(
            "All is well."
            if not broken
            else f"{len(broken)} broken: {', '.join(item.name for item in broken)}"
        )
    finish(ExitCode.NOT_POSSIBLE if broken else ExitCode.DONE)


def _show(findings: list[Finding]) -> None:
    rows = [(item.verdict.value, item.name, item.detail, item.mend or None) for item in findings]
    print_table("", ("verdict", "what", "found", "how to mend it"), rows)
