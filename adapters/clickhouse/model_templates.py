"""The subset of dbt's Jinja that models use: `ref`, `source`, `config`, `var`, `is_incremental`, macros.

Only rendering. What a model is lives in `model_project`, what is done with the SQL in `model_runner`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from trading.errors import ConfigurationError
from trading.ports.model_runner import SessionRange, TableName

TEST_BLOCK = re.compile(r"{%-?\s*test\s+(\w+)\((.*?)\)\s*-?%}(.*?){%-?\s*endtest\s*-?%}", re.DOTALL)
DBT_ONLY_MACROS = ("generate_schema_name",)  # dbt calls it; here a model's configuration has its database


@dataclass(slots=True, kw_only=True)
class Seen:
    """What rendering a template came across."""

    refs: list[str] = field(default_factory=list)
    sources: list[TableName] = field(default_factory=list)
    config: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Macros:
    """The project's macros: plain ones as text that precedes a template, test macros by name."""

    text: str
    tests: Mapping[str, str]


def read_macros(folder: Path) -> Macros:
    """Read all macro files of a project."""
    plain, tests = [], {}
    for path in sorted(folder.glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        for name, arguments, body in TEST_BLOCK.findall(text):
            tests[name] = f"{{% macro test_{name}({arguments}) %}}{body}{{% endmacro %}}"
        if path.stem not in DBT_ONLY_MACROS and not TEST_BLOCK.search(text):
            plain.append(text)
    return Macros(text="".join(plain), tests=tests)


class Renderer:
    """Renders models and tests against the relations of a project."""

    def __init__(
        self, macros: Macros, relation_of: Callable[[str], TableName], variables: Mapping[str, str]
    ) -> None:
        self._macros = macros
        self._relation_of = relation_of
        self._variables = variables
        self._environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)

    def render(
        self,
        name: str,
        text: str,
        *,
        this: TableName | None = None,
        incremental: bool = False,
        sessions: SessionRange | None = None,
    ) -> tuple[str, Seen]:
        """Return the SQL of a template and what it mentions; an unknown name is an error that says where."""
        seen = Seen()
        variables = {**self._variables, **_session_variables(sessions)}
        context = {
            "ref": lambda model: self._ref(seen, model),
            "source": lambda database, table: _source(seen, database, table),
            "config": lambda **options: seen.config.update(options) or "",
            "var": lambda key, default=None: variables.get(key, default),
            "is_incremental": lambda: incremental,
            "this": this,
        }
        return self._rendered(name, self._macros.text + text, context), seen

    def render_test(self, kind: str, arguments: Mapping[str, object]) -> str:
        """Return the SQL of a test macro of the project, with its arguments."""
        if kind not in self._macros.tests:
            raise ConfigurationError(f"test {kind}: expected one of {sorted(self._macros.tests)}")
        call = f"{{{{ test_{kind}(**arguments) }}}}"
        return self._rendered(kind, self._macros.tests[kind] + call, {"arguments": dict(arguments)})

    def _ref(self, seen: Seen, model: str) -> TableName:
        seen.refs.append(model)
        return self._relation_of(model)

    def _rendered(self, name: str, text: str, context: Mapping[str, object]) -> str:
        try:
            return self._environment.from_string(text).render(context).strip()
        except TemplateError as cause:
            raise ConfigurationError(
                f"model {name}: expected a template that renders, was: {cause}"
            ) from cause


def _source(seen: Seen, database: str, table: str) -> TableName:
    relation = TableName(database=database, table=table)
    seen.sources.append(relation)
    return relation


def _session_variables(sessions: SessionRange | None) -> dict[str, str]:
    if sessions is None:
        return {}
    return {"first_session": sessions.first.isoformat(), "last_session": sessions.last.isoformat()}
