"""One string of a `fill`: a Jinja2 text, sandboxed and compiled once, and the facts it may speak of.

Only the operator's own strings are templates; what customers and clients write is only ever a value in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, UndefinedError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

KNOWN = {"message": ("text", "file_url", "reference"), "contact": ("name",), "sender": ("id",)}
"""What a fill may speak of."""

LONGEST = 4096
"""What a string may come to before the platform's own limits are looked at."""

Context = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FillFacts:
    """What is known of a message that a template stands in for. None and blank are undefined in a fill, never null."""

    sender_id: str
    contact_name: str | None = None
    text: str | None = None
    file_url: str | None = None
    reference: str | None = None

    def context(self) -> Context:
        known: dict[str, dict[str, str | None]] = {
            "message": {"text": self.text, "file_url": self.file_url, "reference": self.reference},
            "contact": {"name": self.contact_name},
            "sender": {"id": self.sender_id},
        }
        return {thing: {key: fact for key, fact in facts.items() if _is_known(fact)} for thing, facts in known.items()}


def _is_known(fact: str | None) -> TypeGuard[str]:
    return fact is not None and not fact.isspace() and fact != ""


class FillFailed(Exception):
    """A fill gave nothing for this message. Says why, never with what."""


class FillLacks(FillFailed):
    """It speaks of what this message does not have."""


def one_line(text: object) -> str:
    """All white space folded to single spaces."""
    return " ".join(str(text).split())


def shorten(text: object, length: int) -> str:
    """At most `length` characters; an ellipsis stands for what was cut."""
    whole = str(text)
    if len(whole) <= length:
        return whole
    return f"{whole[: length - 1].rstrip()}…" if length > 0 else ""


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,  # the result is plain text in JSON, where an ampersand is an ampersand
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.clear()
    environment.filters.pop("random")  # the same message must always get the same arguments
    environment.filters |= {"one_line": one_line, "shorten": shorten}
    return environment


_ENVIRONMENT = _environment()


@dataclass(frozen=True, slots=True)
class FillText:
    """A string of a fill, compiled, and the facts that it uses, such as ``message.text``."""

    source: str
    template: Template = field(compare=False)
    facts: frozenset[str]

    @classmethod
    def compile(cls, source: str) -> FillText:
        """Takes a source without problems."""
        tree = _ENVIRONMENT.parse(source)
        facts = frozenset(f"{thing}.{key}" for thing, key in _looked_up(tree))
        return cls(source, _ENVIRONMENT.from_string(source), facts)

    def filled(self, context: Context) -> str:
        """The text for this message, without white space around it. Raises FillFailed."""
        try:
            text = self.template.render(context).strip()
        except UndefinedError:
            raise FillLacks(f"needs {self._absent(context)}") from None
        except Exception as error:  # an operator's expression may raise anything, and its words may hold the value
            raise FillFailed(f"raised {type(error).__name__}") from None
        if len(text) > LONGEST:
            raise FillFailed(f"comes to more than {LONGEST} characters")
        return text

    def _absent(self, context: Context) -> str:
        known = {f"{thing}.{key}" for thing, facts in context.items() for key in facts}
        return ", ".join(sorted(self.facts - known)) or "something undefined"


def source_problems(source: str) -> Iterator[str]:
    """What is wrong with a string: no Jinja2, or a name that is not known in a fill."""
    try:
        tree = _ENVIRONMENT.parse(source)
        _ENVIRONMENT.from_string(source)
    except TemplateSyntaxError as error:
        yield f"is not Jinja2: {error.message} (line {error.lineno} of it)"
        return
    yield from _unknown_names(tree)


def _unknown_names(tree: nodes.Template) -> Iterator[str]:
    local = {name.name for name in tree.find_all(nodes.Name) if name.ctx in ("store", "param")}
    local |= {"loop"} if tree.find(nodes.For) else set()
    read = [name.name for name in tree.find_all(nodes.Name) if name.ctx == "load" and name.name not in local]
    looked_up = list(_looked_up(tree))
    for name in sorted(set(read) - set(KNOWN)):
        yield f"{name} is not known here; known are {_all_known()}"
    for thing in sorted(set(read) & set(KNOWN)):
        if read.count(thing) != sum(found == thing for found, _ in looked_up):
            yield f"{thing} must be followed by what is meant of it; known are {_all_known()}"
    for thing, key in dict.fromkeys(looked_up):
        if key not in KNOWN[thing]:
            yield f"{thing}.{key} is not known here; known are {_all_known()}"


def _all_known() -> str:
    return ", ".join(f"{thing}.{key}" for thing, keys in KNOWN.items() for key in keys)


def _looked_up(tree: nodes.Template) -> Iterator[tuple[str, str]]:
    """Each ``thing.key`` and ``thing["key"]`` of the things we know."""
    for getattr_ in tree.find_all(nodes.Getattr):
        if isinstance(getattr_.node, nodes.Name) and getattr_.node.name in KNOWN:
            yield getattr_.node.name, getattr_.attr
    for getitem in tree.find_all(nodes.Getitem):
        if isinstance(getitem.node, nodes.Name) and getitem.node.name in KNOWN and isinstance(getitem.arg, nodes.Const):
            yield getitem.node.name, str(getitem.arg.value)
