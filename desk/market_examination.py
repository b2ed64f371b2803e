"""What `desk doctor` says of market data: who gets the broker's lines, and what the vendor's plan allows."""

from adapters.ibkr.market.budget import budget_of
from desk.finding import Finding, Patient, good, note
from desk.stack.expected import expected_residents
from desk.stack.residents import INGEST
from trading.feeds.vendor_plan import pace_of

NAMES_SHOWN = 12


def market_data_lines(patient: Patient) -> Finding:
    """Which symbols get which of the login's few lines, and what is wanted and gets none."""
    settings = patient.effective
    if INGEST not in expected_residents(patient.configured):
        return good("market data lines", "none: the market is not listened to")
    budget = budget_of(settings.market, settings.ingest)
    plans = budget.symbols.values()
    kinds = {
        "depth": [plan.symbol for plan in plans if plan.depth],
        "every print": [plan.symbol for plan in plans if plan.prints],
        "every touch": [plan.symbol for plan in plans if plan.touches],
        "bars": [plan.symbol for plan in plans if plan.bars],
        "level 1": [plan.symbol for plan in plans if plan.level1],
    }
    shared = "; ".join(f"{kind}: {_names(symbols)}" for kind, symbols in kinds.items())
    lines = settings.ingest.market_data_lines
    detail = f"{lines - budget.chain_lines} of {lines} taken, {budget.chain_lines} left to chains; {shared}"
    if not budget.without:
        return good("market data lines", detail)
    without = _names([f"{each.symbol} {each.feed}" for each in budget.without])
    mend = "raise market_data_lines, depth_lines or tick_by_tick_lines in ingest.yaml to what the login has"
    return note("market data lines", f"{detail}; no line for {without}", mend)


def vendors(patient: Patient) -> Finding:
    """What Alpha Vantage is asked, and how much less often than wished the plan allows it."""
    from adapters.wiring_vendors import asks_alpha_vantage, vendor_plan  # 0.3 s, and only the doctor asks

    if not asks_alpha_vantage(patient.effective):
        return good("vendors", "Alpha Vantage is not asked: no key, or a simulated day without stand-ins")
    plan = vendor_plan(patient.effective)
    pace = pace_of(plan, computes_technicals=True)
    limits = f"{plan.limits.per_minute} a minute, {plan.limits.per_day or 'any number'} a day"
    indicators = "asked for" if pace.asks_technicals else "computed here"
    every = f"chains every {plan.cadences.chains_s * pace.stretch:.1f} s"
    detail = (
        f"{len(plan.chains)} {every}, news of {len(plan.sentiment)}, indicators {indicators}; plan: {limits}"
    )
    if pace.stretch <= 1.0 and pace.asks_technicals:
        return good("vendors", detail)
    mend = "a larger plan (requests_per_minute in vendors.yaml), fewer symbols or slower cadences"
    return note("vendors", f"{detail}; all that is asked would take {pace.stretch:.2f} times as much", mend)


def _names(names: list[str]) -> str:
    shown = ", ".join(names[:NAMES_SHOWN]) or "none"
    return f"{shown} and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else shown
