"""How much the tests of a room notice: its code is changed in one place after the other, and each change must fail a test.

A mutant is one change: a comparison turned round, a condition negated, a number one higher, a raise left out. It is run in
a process of its own, in which the mutated module takes the place of the written one; the tests named after the module run
first, all tests of the room then. What survives is told by its line.
"""

import ast
import copy
import importlib.abc
import importlib.machinery
import importlib.util
import os
import random
import signal
import sys
import time
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
PATIENCE: Final = 90  # seconds that a mutant may take: one that never ends is noticed, too

PRELOADED: Final = ("cryptography.x509", "httpx", "hypothesis", "jwt", "orjson", "pydantic_settings", "pymongo", "strawberry", "uvicorn")
"""What each mutant would import anew, and does not mutate."""

QUIETLY: Final = ("-c", str(ROOT / "pyproject.toml"), "-W", "ignore::pytest.PytestAssertRewriteWarning")  # of what was preloaded

COMPARED: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
COMBINED: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.Mult: ast.Add,
}
CALLED: Final = {"all": "any", "any": "all", "min": "max", "max": "min", "issubset": "issuperset", "issuperset": "issubset"}
ALIKE: Final = frozenset({"log", "Field", "get_logger", "NewType", "TypeVar"})  # calls whose arguments are for people or for types


@dataclass(frozen=True)
class Mutant:
    """One change of a module."""

    path: Path
    number: int  # among those of its module
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line} {self.what}"


class Mutating(ast.NodeTransformer):
    """Makes the change with this number; without one, counts them."""

    def __init__(self, wanted: int | None = None) -> None:
        self._wanted = wanted
        self.found: list[tuple[int, str]] = []

    def _is_wanted(self, node: ast.AST, what: str) -> bool:
        self.found.append((getattr(node, "lineno", 0), what))
        return len(self.found) - 1 == self._wanted

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._body(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._body(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._body(node)

    def _body(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> ast.AST:
        """Decorators stay: that a dataclass is frozen is for mypy to hold."""
        node.body = [one for statement in node.body if (one := self.visit(statement)) is not None]
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        if isinstance(node.value, ast.Constant) or _is_for_people(node.value):
            return node
        if isinstance(node.value, ast.Call | ast.Await) and self._is_wanted(node, "a call left out"):
            return ast.copy_location(ast.Pass(), node)
        return self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        return ast.copy_location(ast.Pass(), node) if self._is_wanted(node, "a raise left out") else node

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        is_value = node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None)
        if is_value and self._is_wanted(node, "returns None"):
            return ast.copy_location(ast.Return(ast.Constant(None)), node)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if _is_for_people(node):
            return node
        name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if name in CALLED and self._is_wanted(node, f"{name} is {CALLED[name]}"):
            changed = copy.deepcopy(node)
            if isinstance(changed.func, ast.Name):
                changed.func.id = CALLED[name]
            elif isinstance(changed.func, ast.Attribute):
                changed.func.attr = CALLED[name]
            return changed
        return self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        for index, operator in enumerate(node.ops):
            other = COMPARED[type(operator)]
            if self._is_wanted(node, f"{type(operator).__name__} is {other.__name__}"):
                changed = copy.deepcopy(node)
                changed.ops[index] = other()
                return changed
        return self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        if self._is_wanted(node, "and is or" if isinstance(node.op, ast.And) else "or is and"):
            changed = copy.deepcopy(node)
            changed.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            return changed
        return self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        if isinstance(node.op, ast.Not) and self._is_wanted(node, "not left out"):
            return node.operand
        return self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        other = COMBINED.get(type(node.op))
        is_type = isinstance(node.op, ast.BitOr) and any(
            isinstance(side, ast.Constant) and side.value is None for side in (node.left, node.right)
        )
        if other and not is_type and self._is_wanted(node, f"{type(node.op).__name__} is {other.__name__}"):
            changed = copy.deepcopy(node)
            changed.op = other()
            return changed
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST:
        return self._negated(node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        return self._negated(node)

    def visit_While(self, node: ast.While) -> ast.AST:
        return self.generic_visit(node)

    def _negated(self, node: ast.If | ast.IfExp) -> ast.AST:
        if self._is_wanted(node, "a condition negated"):
            changed = copy.deepcopy(node)
            changed.test = ast.copy_location(ast.UnaryOp(ast.Not(), node.test), node.test)
            return changed
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, bool):
            if self._is_wanted(node, f"{node.value} is {not node.value}"):
                return ast.copy_location(ast.Constant(not node.value), node)
        elif isinstance(node.value, int) and self._is_wanted(node, f"{node.value} is {node.value + 1}"):
            return ast.copy_location(ast.Constant(node.value + 1), node)
        return node


def _is_for_people(node: ast.AST) -> bool:
    call = node.value if isinstance(node, ast.Await) else node
    func = call.func if isinstance(call, ast.Call) else None
    name = (
        func.id
        if isinstance(func, ast.Name)
        else func.value.id
        if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name)
        else ""
    )
    return name in ALIKE


def mutants(paths: Sequence[Path]) -> Iterator[Mutant]:
    """Every change of these modules."""
    for path in paths:
        counting = Mutating()
        counting.visit(ast.parse(path.read_text()))
        yield from (Mutant(path, number, line, what) for number, (line, what) in enumerate(counting.found))


class Planted(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Puts a mutant in the place of its module, when that is imported."""

    def __init__(self, mutant: Mutant) -> None:
        self._name = ".".join(mutant.path.relative_to(ROOT).with_suffix("").parts)
        self._path = mutant.path
        tree = ast.fix_missing_locations(Mutating(mutant.number).visit(ast.parse(mutant.path.read_text())))
        self._code = compile(tree, str(mutant.path), "exec")

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return importlib.util.spec_from_loader(name, self, origin=str(self._path)) if name == self._name else None

    def exec_module(self, module: types.ModuleType) -> None:
        exec(self._code, module.__dict__)


def is_noticed(mutant: Mutant, tests: Path) -> bool:
    """Whether the tests in a folder fail with it; in a process of its own."""
    child = os.fork()
    if child == 0:
        _run(mutant, tests)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status) != 0
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def _run(mutant: Mutant, tests: Path) -> None:
    """Never returns."""
    code = 1
    try:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        sys.meta_path.insert(0, Planted(mutant))
        own = tests / f"test_{mutant.path.stem}.py"
        first, *others = [[own], [tests]] if own.exists() else [[tests]]
        options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", f"--confcutdir={tests}", *QUIETLY]
        code = int(pytest.main([*map(str, first), *options]))
        if code == 0 and others:
            code = int(pytest.main([*map(str, others[0]), *options]))
    finally:
        os._exit(code)


def score(room: str, tests: str, share: float, lane: int = 0, lanes: int = 1) -> int:
    """Prints each survivor, and at last how many of how many were noticed: `python -m tests.mutation hub/access tests/access 1.0`.

    `share`: of all mutants, evenly chosen by chance that is always the same; `lane` of `lanes`: for several processes at once."""
    for name in PRELOADED:
        importlib.import_module(name)
    every = list(mutants(sorted((ROOT / room).glob("*.py"))))
    chosen = sorted(random.Random(20).sample(range(len(every)), max(1, int(len(every) * share))))[lane::lanes]
    noticed = 0
    if is_noticed(Mutant(ROOT / room / "__init__.py", -1, 0, "nothing changed"), ROOT / tests):
        raise AssertionError("the tests fail where nothing is changed: they notice everything")
    for index in chosen:
        if is_noticed(every[index], ROOT / tests):
            noticed += 1
        else:
            print(every[index], flush=True)
    print(f"noticed {noticed} of {len(chosen)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(score(sys.argv[1], sys.argv[2], float(sys.argv[3]), *map(int, sys.argv[4:])))
