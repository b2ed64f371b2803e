"""Tests of models as SQL that returns the failing rows: dbt's four built-in ones and the project's macros."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trading.errors import ConfigurationError
from trading.ports.model_runner import ModelTest, Severity, TableName

RenderTest = Callable[[str, Mapping[str, object]], str]
RelationOf = Callable[[str], TableName]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestCase:
    """A test with the SELECT that returns what fails it."""

    __test__ = False  # the name is the domain's, not a test class

    test: ModelTest
    sql: str


def column_tests(
    model: str, relation: TableName, about: Mapping[str, Any], render: RenderTest, relation_of: RelationOf
) -> Iterator[TestCase]:
    """Yield the tests that stand under a model's columns."""
    for column in about.get("columns") or ():
        for entry in column.get("data_tests") or ():
            kind, arguments, severity = _entry(entry)
            sql = _built_in(kind, relation, column["name"], arguments, relation_of)
            if sql is None:
                sql = render(kind, {"model": relation, "column_name": column["name"], **arguments})
            name = f"{model}_{column['name']}_{kind}"
            words = f"{column['name']}: {_words(kind, arguments)}"
            parents = (_parent(arguments["to"], relation_of),) if kind == "relationships" else ()
            test = ModelTest(name=name, model=model, about=words, severity=severity, also_reads=parents)
            yield TestCase(test=test, sql=sql)


def model_tests(
    model: str, relation: TableName, about: Mapping[str, Any], render: RenderTest
) -> Iterator[TestCase]:
    """Yield the tests that stand under a model itself."""
    for entry in about.get("data_tests") or ():
        kind, arguments, severity = _entry(entry)
        sql = render(kind, {"model": relation, **arguments})
        test = ModelTest(
            name=f"{model}_{kind}", model=model, about=_words(kind, arguments), severity=severity
        )
        yield TestCase(test=test, sql=sql)


def _entry(entry: object) -> tuple[str, Mapping[str, Any], Severity]:
    if isinstance(entry, str):
        return entry, {}, Severity.ERROR
    if not isinstance(entry, dict) or len(entry) != 1:
        raise ConfigurationError(f"data_tests: expected a name or one name with its options, was {entry!r}")
    kind, options = next(iter(entry.items()))
    severity = Severity((options.get("config") or {}).get("severity", Severity.ERROR))
    return kind, options.get("arguments") or {}, severity


def _built_in(
    kind: str, relation: TableName, column: str, arguments: Mapping[str, Any], relation_of: RelationOf
) -> str | None:
    if kind == "unique":
        counted = f"select {column}, count() as copies from {relation} where {column} is not null"
        return f"{counted} group by {column} having copies > 1"
    if kind == "not_null":
        return f"select * from {relation} where {column} is null"
    if kind == "accepted_values":
        values = ", ".join(_literal(value) for value in arguments["values"])
        strange = f"select {column}, count() as copies from {relation} where {column} not in ({values})"
        return f"{strange} group by {column}"
    if kind == "relationships":
        parent, field = _parent(arguments["to"], relation_of), arguments["field"]
        known = f"select {field} from {parent}"
        return f"select {column} from {relation} where {column} is not null and {column} not in ({known})"
    return None


def _parent(text: str, relation_of: RelationOf) -> TableName:
    name = text.strip().removeprefix("ref(").removesuffix(")").strip("'\" ")
    return relation_of(name)


def _literal(value: object) -> str:
    escaped = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _words(kind: str, arguments: Mapping[str, Any]) -> str:
    shown = ", ".join(f"{key} {value}" for key, value in arguments.items())
    return f"{kind.replace('_', ' ')} ({shown})" if shown else kind.replace("_", " ")
