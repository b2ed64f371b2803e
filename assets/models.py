"""One asset for each SQL model, made from the specs that the composition root reads; its tests are its
checks.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from assets.metadata import asset_key, model_metadata
from assets.sessions import FRESH, asked_sessions, exchange_sessions
from trading.ports.model_runner import (
    Materialization,
    ModelRunner,
    ModelSpec,
    ModelTest,
    Severity,
    TestOutcome,
)

SEVERITY = {Severity.ERROR: dg.AssetCheckSeverity.ERROR, Severity.WARN: dg.AssetCheckSeverity.WARN}


def build_model_assets(specs: Sequence[ModelSpec]) -> list[dg.AssetsDefinition]:
    """One asset for each model."""
    return [_model_asset(spec) for spec in specs]


def build_model_checks(specs: Sequence[ModelSpec]) -> list[dg.AssetChecksDefinition]:
    """One check for each test that looks at more models than its own: it waits for all of them."""
    return [_joint_check(spec, test) for spec in specs for test in spec.tests if test.also_reads]


def _model_asset(spec: ModelSpec) -> dg.AssetsDefinition:
    own_tests = [test for test in spec.tests if not test.also_reads]
    incremental = spec.materialization is Materialization.INCREMENTAL

    @dg.asset(
        key=asset_key(spec.relation),
        deps=[asset_key(table) for table in spec.upstream],
        description=spec.description,
        group_name=spec.layer,
        owners=list(spec.owners),
        kinds={"clickhouse", "sql", str(spec.materialization)},
        tags={"layer": spec.layer},
        code_version=spec.code_version,
        freshness_policy=FRESH,
        check_specs=[_check_spec(spec, test) for test in own_tests],
        partitions_def=exchange_sessions() if incremental else None,
        backfill_policy=dg.BackfillPolicy.single_run() if incremental else None,
    )
    def model(
        context: dg.AssetExecutionContext, models: dg.ResourceParam[ModelRunner]
    ) -> Iterator[dg.MaterializeResult[Any]]:
        report = models.run(spec.name, asked_sessions(context) if incremental else None)
        results = [_check_result(spec, outcome) for outcome in models.test(own_tests)]
        yield dg.MaterializeResult(metadata=model_metadata(spec, report), check_results=results)

    return model


def _joint_check(spec: ModelSpec, test: ModelTest) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        name=test.name,
        asset=asset_key(spec.relation),
        additional_deps=[asset_key(table) for table in test.also_reads],
        description=test.about,
    )
    def check(models: dg.ResourceParam[ModelRunner]) -> dg.AssetCheckResult:
        (outcome,) = models.test([test])
        return _check_result(spec, outcome)

    return check


def _check_spec(spec: ModelSpec, test: ModelTest) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(name=test.name, asset=asset_key(spec.relation), description=test.about)


def _check_result(spec: ModelSpec, outcome: TestOutcome) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=asset_key(spec.relation),
        check_name=outcome.test.name,
        passed=outcome.passed,
        severity=SEVERITY[outcome.test.severity],
        metadata={"failing_rows": outcome.failing_rows, "sample": list(outcome.sample)},
    )
