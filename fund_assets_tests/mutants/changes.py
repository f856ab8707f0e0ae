"""What is changed: mutmut's operators and ours, over the parts of the platform that count.

Belongs here: the list of mutants of a file, in the file's order, and the reasons why some
places have none. Does not belong here: running anything.

Without a mutant, because nothing but words would change: docstrings, types, texts for people
(with a space, unless they are SQL or a pattern), the arguments of an exception that is raised,
`assert`, `zip(strict=)` and other promises about our own code. Loops of compiled functions
have none either: the measures in them are held against independent references as a whole.
"""

import ast
import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
import libcst.matchers as m
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation import mutators
from mutmut.mutation.file_mutation import Mutation, MutationVisitor
from mutmut.mutation.pragma_handling import IgnoredCode

#: Where mutants are drawn from; a name with * stands for all that fit.
SCOPE = (
    "fund_assets/nav/*.py",
    "fund_assets/metrics/*.py",
    "fund_assets/benchmarks/*.py",
    "fund_assets/warehouse/stores/known.py",
    "fund_assets/warehouse/stores/publish.py",
    "fund_assets/warehouse/stores/landing.py",
    "fund_assets/warehouse/stores/event_lists.py",
    "fund_assets/warehouse/queries/quarantine.py",
    "fund_assets/warehouse/stores/quarantine.py",
    "fund_assets/warehouse/engine/diff_writes.py",
    "fund_assets/sources/eastmoney/decode*.py",
    "fund_assets/sources/eastmoney/cells.py",
    "fund_assets/sources/eastmoney/status_cells.py",
    "fund_assets/sources/eastmoney/indices.py",
    "fund_assets/sources/eastmoney/akshare_tables.py",
    "fund_assets/sources/eastmoney/trading_days.py",
)
_SQL = re.compile(r"^\s*(SELECT|INSERT|UPDATE|DELETE|FROM|WHERE|AND|OR|ORDER|JOIN|GROUP)\b")
_SQL_INSIDE = re.compile(r"\b(SELECT|WHERE|FROM|COALESCE|ORDER BY|GROUP BY|DESC|IS NULL)\b")
#: Calls whose arguments are promises about our own code, or cost and not meaning.
_PROMISES = {"len", "isinstance", "cast", "crash_point", "NamedTuple", "TypeVar", "zip"}
_OPTIONS_OF_COST = {"strict", "copy", "slots", "frozen", "kw_only", "stacklevel"}

#: What stands in SQL → what stands there instead. One occurrence at a time.
_IN_SQL = (
    (re.compile(r"(?<![<>!=:])=(?!=)"), "<>"),
    (re.compile(r"<>"), "="),
    (re.compile(r">="), ">"),
    (re.compile(r"<="), "<"),
    (re.compile(r"(?<![<-])>(?![=>])"), ">="),
    (re.compile(r"<(?![=>])"), "<="),
    (re.compile(r"\bAND\b"), "OR"),
    (re.compile(r"\bOR\b"), "AND"),
    (re.compile(r"\bIS NULL\b"), "IS NOT NULL"),
    (re.compile(r"\bIS NOT NULL\b"), "IS NULL"),
    (re.compile(r"\bNOT IN\b"), "IN"),
    (re.compile(r"(?<!NOT )\bIN\b"), "NOT IN"),
    (re.compile(r"\bNOT EXISTS\b"), "EXISTS"),
    (re.compile(r"\bDESC\b"), "ASC"),
    (re.compile(r"\bMAX\b"), "MIN"),
    (re.compile(r"\bMIN\b"), "MAX"),
    (re.compile(r"\bSUM\b"), "COUNT"),
    (re.compile(r"\bDISTINCT "), ""),
    (re.compile(r"\bUNION ALL\b"), "UNION"),
    (re.compile(r"\bLEFT JOIN\b"), "JOIN"),
    (re.compile(r"\bAND [\w.]+ (?:=|<>|<=|>=|<|>) (?:'\w*'|:?\w+)"), ""),
    (re.compile(r"(?<=LIMIT )\d+"), "0"),
)
#: A function or method → its counterpart.
_SWAPS = {
    "min": "max", "max": "min", "any": "all", "all": "any", "first": "last", "last": "first",
    "head": "tail", "tail": "head", "ffill": "bfill", "bfill": "ffill", "floor": "ceil",
    "ceil": "floor", "cummax": "cummin", "cummin": "cummax", "nanmin": "nanmax",
    "nanmax": "nanmin", "minimum": "maximum", "maximum": "minimum", "argmin": "argmax",
    "argmax": "argmin", "union": "intersection", "intersection": "union", "le": "lt",
    "lt": "le", "ge": "gt", "gt": "ge", "isna": "notna", "notna": "isna", "idxmax": "idxmin",
    "sum": "prod", "prod": "sum", "median": "mean", "cumsum": "cumprod", "abs": "float",
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change of one file.

    Attributes:
        span: first and last line of the statement: coverage knows the first alone.
        within: function (and class) that it stands in; the assigned names on module level.
        level: whether it runs when the module is imported.
        before, after: the changed lines, joined by " ⏎ ".
    """

    path: str
    line: int
    span: tuple[int, int]
    within: str
    level: bool
    before: str
    after: str
    code: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What stays the same when lines above it come and go."""
        return self.path, self.within, self.before, self.after

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.within}\n    - {self.before}\n    + {self.after}"


def files(root: Path, only: Iterable[str] = ()) -> list[Path]:
    """The files in scope, or those that `only` names, in order."""
    return sorted({path for name in only or SCOPE for path in root.glob(name)})


class Changes:
    """All changes of one file: cheap to count, each written out when asked for."""

    def __init__(self, root: Path, path: Path) -> None:
        self.path = str(path.relative_to(root))
        self.source = path.read_text(encoding="utf-8")
        wrapper = MetadataWrapper(cst.parse_module(self.source))
        visitor = _Visitor(OPERATORS, IgnoredCode(set(), set(), set()))
        self._module = wrapper.visit(visitor)
        self._places = wrapper.resolve(PositionProvider)
        self._tree = ast.dump(ast.parse(self.source))
        self._found: list[Mutation] = visitor.mutations
        self._names = list(_names(ast.parse(self.source)))
        self._statements = [
            (node.lineno, body[0].lineno - 1 if body else node.end_lineno or node.lineno)
            for node in ast.walk(ast.parse(self.source))
            if isinstance(node, ast.stmt)
            for body in [getattr(node, "body", None)]
        ]

    def __len__(self) -> int:
        return len(self._found)

    def mutant(self, number: int) -> Mutant | None:
        """The change of this number; None where the program stays the same."""
        found = self._found[number]
        code = self._module.deep_replace(found.original_node, found.mutated_node).code
        try:
            if ast.dump(ast.parse(code)) == self._tree:
                return None
        except SyntaxError:
            return None
        line, before, after, lines = _difference(self.source, code)
        place = self._places[found.original_node]
        line = max(line, place.start.line) if place.end.line >= line else line
        within, level = self._within(line)
        around = [s for s in self._statements if s[0] <= line <= s[1]]
        first, last = min(around, key=lambda s: s[1] - s[0], default=(line, line))
        span = first, max(last, place.end.line, line + lines - 1)
        return Mutant(self.path, line, span, within, level, before, after, code)

    def _within(self, line: int) -> tuple[str, bool]:
        inner = [n for n in self._names if n[0] <= line <= n[1]]
        if not inner:
            return "", True
        _, _, name, level = inner[-1]
        return name, level


def _names(tree: ast.AST, prefix: str = "") -> Iterator[tuple[int, int, str, bool]]:
    """First line, last line, name and level of what a module is made of, outermost first."""
    for node in ast.iter_child_nodes(tree):
        first, last = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0) or 0
        match node:
            case ast.FunctionDef():
                inside = node.body[0].lineno
                yield first, inside - 1, f"{prefix}{node.name}", True
                yield inside, last, f"{prefix}{node.name}", False
                yield from _names(node, f"{prefix}{node.name}.")
            case ast.ClassDef():
                yield first, last, f"{prefix}{node.name}", True
                yield from _names(node, f"{prefix}{node.name}.")
            case ast.Assign(targets=[ast.Name(id=name), *_]) if not prefix:
                yield first, last, name, True
            case ast.Assign(targets=[ast.Tuple(elts=parts), *_]) if not prefix:
                yield first, last, ", ".join(map(ast.unparse, parts)), True
            case ast.AnnAssign(target=ast.Name(id=name)) if not prefix:
                yield first, last, name, True


def _difference(before: str, after: str) -> tuple[int, str, str, int]:
    """Number of the first changed line, what stood there, what stands there, and how many."""
    old, new = before.splitlines(), after.splitlines()
    for tag, start, end, new_start, new_end in difflib.SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        if tag != "equal":
            told = [" ⏎ ".join(line.strip() for line in lines)
                    for lines in (old[start:end], new[new_start:new_end])]  # fmt: skip
            return start + 1, told[0], told[1], max(end - start, 1)
    raise AssertionError("nothing differs")


class _Visitor(MutationVisitor):
    """As mutmut's, but into decorated functions, and not where only words would change."""

    def __init__(self, operators: mutators.OPERATORS_TYPE, ignored: IgnoredCode) -> None:
        super().__init__(operators, ignored)
        self._barred: set[cst.CSTNode] = set()

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        match node:
            case cst.Annotation() | cst.Decorator() | cst.Import() | cst.ImportFrom():
                return True
            case cst.Assert() | cst.TypeAlias():
                return True
            case cst.SimpleStatementLine(body=[cst.Expr(value=cst.SimpleString())]):
                return True  # a docstring
            case cst.FunctionDef() if any(
                m.matches(d.decorator, m.Name("compiled")) for d in node.decorators
            ):
                self._barred |= {loop.body for loop in m.findall(node, m.For() | m.While())}
            case cst.Raise(exc=cst.Call() as told):
                self._barred.add(told)
            case cst.Call(func=cst.Name(value=name)) if name in _PROMISES:
                return name not in {"zip", "len"}
            case cst.Arg(keyword=cst.Name(value=name)) if name in _OPTIONS_OF_COST:
                return True
            case cst.Assign(value=cst.Subscript(value=cst.Name(value="NDArray"))):
                return True  # a type
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))]):
                return name == "__all__"
        return node in self._barred


def _texts(node: cst.SimpleString) -> Iterable[cst.CSTNode]:
    """Another text where a program reads it."""
    value = node.evaluated_value
    if not isinstance(value, str) or node.quote.startswith(("'''", '"""')):
        return
    sql = bool(_SQL.search(value) or _SQL_INSIDE.search(value))
    prose = " " in value.strip() and "r" not in node.prefix
    if not sql and not prose:
        quote, inside = node.quote, node.raw_value
        yield node.with_changes(value=f"{node.prefix}{quote}XX{inside}XX{quote}")


def _statements(node: cst.CSTNode) -> Iterable[cst.CSTNode]:
    """SQL with another predicate, in a plain or a formatted text."""
    if not isinstance(node, cst.SimpleString | cst.FormattedStringText):
        return
    text = node.value
    if not (_SQL.search(text.lstrip("frb'\"")) or _SQL_INSIDE.search(text)):
        return
    for pattern, instead in _IN_SQL:
        for found in pattern.finditer(text):
            changed = text[: found.start()] + instead + text[found.end() :]
            yield node.with_changes(value=changed)


def _numbers(node: cst.BaseNumber) -> Iterable[cst.BaseNumber]:
    """One more; a float twice as large, and half as large."""
    if isinstance(node, cst.Float):
        value = node.evaluated_value
        for other in (value * 2, value / 2) if value else (1.0,):
            if other != value:
                yield node.with_changes(value=repr(other))
    elif isinstance(node, cst.Integer):
        yield cst.Integer(repr(node.evaluated_value + 1), lpar=node.lpar, rpar=node.rpar)


def _arguments(node: cst.Call) -> Iterable[cst.Call]:
    """None in the place of an argument; without an option."""
    if m.matches(node.func, m.Name("range") | m.Name("len") | m.Name("print")):
        return
    for i, argument in enumerate(node.args):
        if argument.star or m.matches(argument.value, m.Name("None")):
            continue
        rest = [*node.args[:i], *node.args[i + 1 :]]
        if argument.keyword is None:
            other = argument.with_changes(value=cst.Name("None"))
            yield node.with_changes(args=[*node.args[:i], other, *node.args[i + 1 :]])
        elif argument.keyword.value not in _OPTIONS_OF_COST:
            yield node.with_changes(args=rest)


def _conditions(node: cst.CSTNode) -> Iterable[cst.CSTNode]:
    """The opposite of a condition."""
    if isinstance(node, cst.If | cst.While | cst.CompIf):
        test = node.test
        inside = test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        space = cst.SimpleWhitespace(" ")
        negated = cst.UnaryOperation(cst.Not(whitespace_after=space), inside)
        changes = {"test": negated}
        if isinstance(node, cst.If):
            changes["whitespace_before_test"] = space
        yield node.with_changes(**changes)


def _removals(node: cst.CSTNode) -> Iterable[cst.CSTNode]:
    """A call whose answer nobody reads, a guard or a count, left out."""
    if m.matches(
        node,
        m.SimpleStatementLine(
            body=[m.Expr(value=m.Call()) | m.AugAssign() | m.Raise(exc=m.DoNotCare())]
        ),
    ):
        statement = node.body[0]  # type: ignore[attr-defined]
        call = getattr(statement, "value", None)
        if isinstance(call, cst.Call) and m.matches(call.func, m.Name("crash_point")):
            return
        yield node.with_changes(body=[cst.Pass()])


def _swaps(node: cst.Call) -> Iterable[cst.Call]:
    """The counterpart of a function or method."""
    match node.func:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            if name in _SWAPS:
                inner = node.func if isinstance(node.func, cst.Name) else node.func.attr
                yield node.with_deep_changes(inner, value=_SWAPS[name])


_THEIRS: dict[Callable[..., Iterable[cst.CSTNode]], Callable[..., Iterable[cst.CSTNode]]] = {
    mutators.operator_number: _numbers,
    mutators.operator_string: _texts,
    mutators.operator_arg_removal: _arguments,
}
#: mutmut's operators, three of them in our words, and ours.
OPERATORS: mutators.OPERATORS_TYPE = [
    *((kind, _THEIRS.get(operator, operator)) for kind, operator in mutators.mutation_operators
      if operator is not mutators.operator_string),
    (cst.SimpleString, _texts),
    (cst.CSTNode, _statements),
    (cst.CSTNode, _conditions),
    (cst.CSTNode, _removals),
    (cst.Call, _swaps),
]  # fmt: skip
