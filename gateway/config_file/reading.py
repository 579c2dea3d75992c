"""From the file's text to plain values: strict YAML, then variables of the environment."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import CollectionNode, MappingNode, Node, SequenceNode

from gateway.config_file.tree import Place

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_QUOTED = re.compile(r"'[^']{2,}'")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LARGEST = 4 * 1024 * 1024
_DEEPEST = 50


class Unreadable(Exception):
    """The text is not the YAML that we take. `problems` name lines."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class _Loader(yaml.SafeLoader):
    """Plain values by YAML 1.2, so that ``no`` is a language and ``12:30`` a text; each key at most once."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.repeated: list[str] = []

    def mapping(self, node: MappingNode) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            if type(key) is int:  # the place of a button in a template file
                key = str(key)
            if not isinstance(key, str):
                raise yaml.constructor.ConstructorError(None, None, "a key must be text", key_node.start_mark)
            if key in result:
                self.repeated.append(f"line {key_node.start_mark.line + 1}: the key {key} stands here a second time")
            value = self.construct_object(value_node, deep=True)
            if value is not None:
                result[key] = value
        return result

    def sequence(self, node: SequenceNode) -> list[Any]:
        return [self.construct_object(item, deep=True) for item in node.value]


_Loader.yaml_implicit_resolvers = {}
_FIRST_OF_NUMBER = list("-+0123456789")
_Loader.add_constructor("tag:yaml.org,2002:map", _Loader.mapping)
_Loader.add_constructor("tag:yaml.org,2002:seq", _Loader.sequence)
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(?:true|True|false|False)\Z"), list("tTfF"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z"), _FIRST_OF_NUMBER)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(?:0|[1-9][0-9]*)\.[0-9]+\Z"), _FIRST_OF_NUMBER
)


def read_yaml(path: Path, *, largest: int = _LARGEST) -> Any:
    """The file's values; a key without a value is as if absent. Raises Unreadable."""
    return parse_yaml(read_text(path, largest=largest), largest=largest)


def parse_yaml(text: str, *, largest: int = _LARGEST) -> Any:
    """The values of a file's text. Raises Unreadable."""
    try:
        return _parse(text, largest)
    except yaml.YAMLError as error:
        raise Unreadable([_explained(error)]) from None
    except RecursionError:
        raise Unreadable([_TOO_DEEP]) from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):  # what constructors of values raise
        raise Unreadable(["holds a value that is not what its !!tag says, or an endless number; quote it"]) from None


def read_text(path: Path, *, largest: int) -> str:
    """The text of a regular file of at most so many bytes. Raises Unreadable."""
    try:
        content = _content(path, largest + 1)
    except FileNotFoundError:
        raise Unreadable([_absent(path)]) from None
    except OSError as error:
        raise Unreadable([f"can't be read: {error.strerror}"]) from None
    if len(content) > largest:
        raise Unreadable([f"is larger than {largest // 1024} KB; take out what does not belong here"])
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Unreadable(["is not UTF-8; save it in that encoding"]) from None


def _content(path: Path, most: int) -> bytes:
    with open(path, "rb", opener=_at_once) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise Unreadable(["is not a regular file; put one here, or a link to one"])
        return file.read(most)


def _at_once(path: str, flags: int) -> int:
    """Without waiting for a writer, as opening a pipe does."""
    return os.open(path, flags | os.O_NONBLOCK)


def _absent(path: Path) -> str:
    if path.is_symlink():
        return "is a link to a file that is not there; correct the link, or remove it"
    return "there is no such file; copy config.example.yaml, or name yours with --config"


def _parse(text: str, largest: int) -> Any:
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return {}
        _expect_bounded(root, largest)
        tree = loader.construct_document(root)
    finally:
        loader.dispose()
    if loader.repeated:
        raise Unreadable([f"{line}; remove one of the two" for line in loader.repeated])
    return {} if tree is None else tree


_TOO_DEEP = f"is recursive, or nested more than {_DEEPEST} levels deep; make it flatter"


def _expect_bounded(root: Node, largest: int) -> None:
    """With every alias written out, a document may be as large as one without: a few lines can stand for billions."""
    weight, level = 0, [root]
    for _ in range(_DEEPEST):
        inner: list[Node] = []
        for node in level:
            children = _children(node)
            weight += len(children) or len(node.value)
            if weight > largest:
                raise Unreadable([f"comes to more than {largest // 1024} KB with its aliases written out; use fewer"])
            inner += children
        level = inner
    if level:
        raise Unreadable([_TOO_DEEP])


def _children(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return [part for pair in node.value for part in pair]
    return node.value if isinstance(node, CollectionNode) else []


def _explained(error: yaml.YAMLError) -> str:
    """What is wrong and where, without the line itself: it may hold a secret."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        problem = _QUOTED.sub("'…'", error.problem or "")
        return f"line {error.problem_mark.line + 1}: is no good YAML: {problem}; quote it, or check the indent"
    return "is not YAML; check that it is a text file with `key: value` lines"


@dataclass(frozen=True, slots=True)
class Expanded:
    """The values with their variables replaced."""

    tree: Any
    whole: frozenset[Place]
    """Texts that were one variable and nothing else: there a number or a truth value may be meant."""
    failed: frozenset[Place]
    """Texts that could not be replaced: nothing more can be said of them."""
    problems: tuple[tuple[Place, str], ...]


@dataclass(slots=True)
class _Expansion:
    environ: Mapping[str, str]
    whole: set[Place] = field(default_factory=set)
    problems: list[tuple[Place, str]] = field(default_factory=list)

    def value(self, value: Any, place: Place) -> Any:
        if isinstance(value, dict):
            return {key: self.value(item, (*place, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item, (*place, index)) for index, item in enumerate(value)]
        return self.text(value, place) if isinstance(value, str) else value

    def text(self, text: str, place: Place) -> str:
        if _VARIABLE.fullmatch(text):
            self.whole.add(place)
        if "${" in _VARIABLE.sub("", text):
            self.problems.append((place, "holds a ${ that starts no variable; write ${NAME} or ${NAME:-default}"))
        expanded = _VARIABLE.sub(lambda match: self.variable(match, place), text)
        if _CONTROL.search(expanded):
            self.problems.append((place, "holds a line break or another control character; remove it"))
        return expanded

    def variable(self, match: re.Match[str], place: Place) -> str:
        name, default = match.groups()
        value = self.environ.get(name)
        if default is not None:
            return value or default
        if value is None:
            problem = f"the environment has no variable {name}; set it, or write a default as ${{{name}:-...}}"
            self.problems.append((place, problem))
        return value or ""


def expand(tree: Any, environ: Mapping[str, str]) -> Expanded:
    """Replace ``${NAME}`` and ``${NAME:-default}`` in every text; the default also stands in for an empty variable."""
    expansion = _Expansion(environ)
    expanded = expansion.value(tree, ())
    failed = frozenset(place for place, _ in expansion.problems)
    return Expanded(expanded, frozenset(expansion.whole), failed, tuple(expansion.problems))
