"""Reads a folder of dbt-like models into values: specs in the order of dependency, and their tests as SQL.

No warehouse here: this is read when the code location loads, without a network.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from hashlib import sha1
from pathlib import Path
from typing import Any

import yaml

from adapters.clickhouse.model_templates import Renderer, Seen, read_macros
from adapters.clickhouse.model_tests import TestCase, column_tests, model_tests
from trading.errors import ConfigurationError
from trading.ports.model_runner import (
    ColumnSpec,
    Materialization,
    ModelSpec,
    ModelTest,
    SessionRange,
    Severity,
    TableName,
)

MODELS_MAX = 500
DEFAULT_OWNER = "team:desk"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where it was built: a tenth of the time


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A model's file with what its folder and itself configure; `config` keys are dbt's."""

    name: str
    layer: str
    text: str
    config: Mapping[str, Any]
    seen: Seen

    @property
    def relation(self) -> TableName:
        """Where the model is written."""
        return TableName(database=str(self.config["schema"]), table=self.name)


class ModelProject:
    """A read project: specs, rendered SQL, tests."""

    def __init__(self, folder: Path) -> None:
        self._settings = _yaml(folder / "dbt_project.yml")
        self._paths = _model_paths(folder)
        self._renderer = Renderer(
            read_macros(folder / "macros"), self._relation_of, _variables(self._settings)
        )
        self._files = {name: self._file(name) for name in self._paths}
        self._documented = _documented(folder)
        self._singular = {
            path.stem: path.read_text(encoding="utf-8") for path in sorted((folder / "tests").glob("*.sql"))
        }
        self._cases = self._test_cases()
        self._specs = {name: self._spec(name) for name in self._order()}

    @property
    def specs(self) -> Sequence[ModelSpec]:
        """All models, each after those it reads."""
        return tuple(self._specs.values())

    def spec(self, model: str) -> ModelSpec:
        """One model by name."""
        if model not in self._specs:
            raise ConfigurationError(f"model: expected one of {sorted(self._specs)}, was {model!r}")
        return self._specs[model]

    def config(self, model: str) -> Mapping[str, Any]:
        """The model's configuration as dbt names it."""
        return self._files[model].config

    def cases(self, tests: Sequence[ModelTest]) -> Sequence[TestCase]:
        """The tests with their SQL; an unknown one is an error."""
        by_name = {case.test.name: case for case in self._cases}
        return tuple(by_name[test.name] for test in tests)

    def sql(self, model: str, *, incremental: bool = False, sessions: SessionRange | None = None) -> str:
        """The model's SELECT."""
        file = self._files[model]
        sql, _ = self._renderer.render(
            model, file.text, this=file.relation, incremental=incremental, sessions=sessions
        )
        return sql

    def _file(self, name: str) -> ModelFile:
        path = self._paths[name]
        text = path.read_text(encoding="utf-8")
        _, seen = self._renderer.render(name, text, this=TableName(database="marts", table=name))
        layer = path.parent.name
        return ModelFile(
            name=name, layer=layer, text=text, config={**self._folder_config(layer), **seen.config}, seen=seen
        )

    def _folder_config(self, layer: str) -> dict[str, Any]:
        tree = self._settings["models"][self._settings["name"]]
        levels = (tree, tree.get(layer, {}))
        return {key[1:]: value for level in levels for key, value in level.items() if key.startswith("+")}

    def _relation_of(self, model: str) -> TableName:
        if model not in self._paths:
            raise ConfigurationError(f"ref: expected one of {sorted(self._paths)}, was {model!r}")
        tree = self._settings["models"][self._settings["name"]]
        return TableName(database=str(tree["+schema"]), table=model)

    def _order(self) -> Sequence[str]:
        graph = {name: sorted(set(file.seen.refs)) for name, file in self._files.items()}
        try:
            return tuple(TopologicalSorter(graph).static_order())
        except CycleError as cause:
            raise ConfigurationError(
                f"models: expected no cycle, was {' -> '.join(cause.args[1])}"
            ) from cause

    def _spec(self, name: str) -> ModelSpec:
        file, about = self._files[name], self._documented.get(name, {})
        config = about.get("config") or {}
        return ModelSpec(
            name=name,
            relation=file.relation,
            layer=file.layer,
            description=" ".join(str(about.get("description", "")).split()),
            materialization=Materialization(file.config["materialized"]),
            columns=tuple(_column(item) for item in about.get("columns") or ()),
            upstream=self._upstream(file),
            tests=tuple(case.test for case in self._cases if case.test.model == name),
            owners=((config.get("meta") or {}).get("owner", DEFAULT_OWNER),),
            tags=tuple(file.config.get("tags", ())),
            code_version=sha1(file.text.encode(), usedforsecurity=False).hexdigest()[:12],
        )

    def _upstream(self, file: ModelFile) -> tuple[TableName, ...]:
        mentioned = [*file.seen.sources, *(self._relation_of(model) for model in file.seen.refs)]
        return tuple(dict.fromkeys(mentioned))

    def _test_cases(self) -> Sequence[TestCase]:
        cases: list[TestCase] = []
        for name, about in self._documented.items():
            relation = self._relation_of(name)
            cases.extend(column_tests(name, relation, about, self._renderer.render_test, self._relation_of))
            cases.extend(model_tests(name, relation, about, self._renderer.render_test))
        return (*cases, *(self._singular_case(name, text) for name, text in self._singular.items()))

    def _singular_case(self, name: str, text: str) -> TestCase:
        sql, seen = self._renderer.render(name, text)
        if not seen.refs:
            raise ConfigurationError(f"test {name}: expected a ref() to the model it is about")
        severity = Severity(str(seen.config.get("severity", Severity.ERROR)))
        about = text.strip().splitlines()[0].removeprefix("--").strip()
        others = tuple(dict.fromkeys(self._relation_of(model) for model in seen.refs[1:]))
        test = ModelTest(name=name, model=seen.refs[0], about=about, severity=severity, also_reads=others)
        return TestCase(test=test, sql=sql)


def source_columns(folder: Path) -> Mapping[TableName, Mapping[str, str]]:
    """What the columns of the sources mean, by table: the one text that dbt and Dagster show."""
    return {
        TableName(database=str(source["schema"]), table=table["name"]): {
            column.name: column.description for column in map(_column, table.get("columns") or ())
        }
        for document in _documents(folder)
        for source in document.get("sources") or ()
        for table in source["tables"]
    }


def _model_paths(folder: Path) -> dict[str, Path]:
    paths = {path.stem: path for path in sorted((folder / "models").rglob("*.sql"))}
    if len(paths) > MODELS_MAX:
        raise ConfigurationError(f"models: expected at most {MODELS_MAX}, was {len(paths)}")
    return paths


def _documented(folder: Path) -> dict[str, Mapping[str, Any]]:
    return {item["name"]: item for document in _documents(folder) for item in document.get("models") or ()}


def _documents(folder: Path) -> Iterator[Mapping[str, Any]]:
    for path in sorted((folder / "models").rglob("*.yml")):
        yield _yaml(path)


def _yaml(path: Path) -> Mapping[str, Any]:
    document = yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)  # noqa: S506 - a safe one
    if not isinstance(document, dict):
        raise ConfigurationError(f"{path.name}: expected a mapping, was {type(document).__name__}")
    return document


def _variables(settings: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in (settings.get("vars") or {}).items()}


def _column(item: Mapping[str, Any]) -> ColumnSpec:
    description = " ".join(str(item.get("description", "")).split())
    return ColumnSpec(name=item["name"], description=description, data_type=item.get("data_type"))
