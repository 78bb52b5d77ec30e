"""What a function of this project may come to execute, read from its source: a call graph by names.

    lambda_handler -> handler -> stream_handler -> poison_queue, Effects, ...      a name: what it stands for
                                                   effects.carry_out()             an attribute: that method of every
                                                                                   class that was reached

A class counts as made where its name is reached, so a method that only other functions' classes have is left out.
Names are all it goes by: too much may be found, too little only where a name is computed.
(Rapid type analysis: Bacon and Sweeney, OOPSLA 1996, without types.)
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

PACKAGES = ("handlers", "reconciler")
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Word = ast.Name | ast.Attribute | ast.Constant | ast.JoinedStr
SAYS_NOTHING = {"annotation", "returns", "ctx"}
Place = tuple[str, str]
"""A module, and a name in it."""


@dataclass(frozen=True, eq=False)
class Unit:
    """One piece of code that is executed as a whole: a function, a method, or a statement of a module or class."""

    module: str
    code: ast.AST

    @cached_property
    def words(self) -> Sequence[Word]:
        """What the code says: names, attributes and text, but for annotations and docstrings, which do nothing."""
        return [*_words(self.code)]


@dataclass(frozen=True, slots=True)
class Module:
    """One module's names: what is defined in it, and what is imported from where."""

    defined: dict[str, ast.stmt]
    imported: dict[str, Place]


class Code:
    """The source of the packages under one folder."""

    def __init__(self, root: Path) -> None:
        """Parse every module of PACKAGES under `root`."""
        paths = sorted(path for package in PACKAGES for path in (root / package).rglob("*.py"))
        self._units: dict[ast.AST, Unit] = {}
        self._modules = {_module_name(path.relative_to(root)): _module(path) for path in paths}

    def reached_from(self, handler: str) -> list[Unit]:
        """Return what ``package.module.function`` may execute; LookupError where there is no such function."""
        module, _, name = handler.rpartition(".")
        if name not in self._modules[module].defined:
            raise LookupError(f"{handler} is not defined")
        return _Reach(self).from_place((module, name))

    def module(self, name: str) -> Module | None:
        """Return a module of the packages, or None."""
        return self._modules.get(name)

    def unit(self, module: str, code: ast.AST) -> Unit:
        """Return a piece of a module's code, the same one each time."""
        return self._units.setdefault(code, Unit(module, code))

    def definition(self, place: Place) -> tuple[str, ast.stmt] | None:
        """Return what a name stands for, through imports, and the module that defines it; None where it is not here."""
        for _ in range(len(self._modules)):
            module = self.module(place[0])
            if module is None:
                return None
            if place[1] in module.defined:
                return place[0], module.defined[place[1]]
            if place[1] not in module.imported:
                return None
            place = module.imported[place[1]]
        return None


@dataclass
class _Reach:
    code: Code
    units: list[Unit] = field(default_factory=list)
    seen: set[ast.AST] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    methods: dict[str, list[Unit]] = field(default_factory=dict)

    def from_place(self, place: Place) -> list[Unit]:
        """Follow names and attributes until nothing new is reached."""
        self._reach_name(place)
        for unit in self.units:  # which grows meanwhile
            for word in unit.words:
                match word:
                    case ast.Name(id=name):
                        self._reach_name((unit.module, name))
                    case ast.Attribute(value=ast.Name(id=name), attr=attribute):
                        self._reach_member(unit.module, name, attribute)
                        self._call(attribute)
                    case ast.Attribute(attr=attribute):
                        self._call(attribute)
        return self.units

    def _reach_member(self, module: str, name: str, attribute: str) -> None:
        """Reach ``module.function`` where a name stands for an imported module."""
        known = self.code.module(module)
        if known and name in known.imported:
            package, member = known.imported[name]
            self._reach_name((f"{package}.{member}".strip("."), attribute))

    def _reach_name(self, place: Place) -> None:
        found = self.code.definition(place)
        if found is None or found[1] in self.seen:
            return
        module, statement = found
        self.seen.add(statement)
        if isinstance(statement, ast.ClassDef):
            self._make(module, statement)
        else:
            self.units.append(self.code.unit(module, statement))

    def _make(self, module: str, made: ast.ClassDef) -> None:
        """Reach what making a class executes, and its methods once something calls their names."""
        for expression in (*made.bases, *made.decorator_list):
            self.units.append(self.code.unit(module, expression))
        for statement in made.body:
            unit = self.code.unit(module, statement)
            if isinstance(statement, Definition) and not self._is_called(statement.name):
                self.methods.setdefault(statement.name, []).append(unit)
            else:
                self.units.append(unit)

    def _is_called(self, method: str) -> bool:
        """Return whether something calls the method by now; Python calls those with underscores by itself."""
        return method.startswith("__") or method in self.attributes

    def _call(self, attribute: str) -> None:
        self.attributes.add(attribute)
        self.units.extend(self.methods.pop(attribute, []))


def _words(code: ast.AST) -> Iterator[Word]:
    nodes = [code]
    while nodes:
        node = nodes.pop()
        if isinstance(node, Word):
            yield node
        for name, value in ast.iter_fields(node):
            if name not in SAYS_NOTHING:
                children = value if isinstance(value, list) else [value]
                nodes.extend(child for child in children if isinstance(child, ast.AST) and not _is_docstring(child))


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _module(path: Path) -> Module:
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    defined = {name: statement for statement in tree.body for name in _names(statement)}
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return Module(defined, {name: place for node in imports for name, place in _imported(node)})


def _names(statement: ast.stmt) -> Sequence[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case _:
            return []


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Place]]:
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            yield alias.asname or alias.name, (node.module or "", alias.name)
        else:
            yield alias.asname or alias.name, ("", alias.name)
