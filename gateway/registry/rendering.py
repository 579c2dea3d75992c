"""A template file as a person would have written it: block style, texts in quotes, what matters first."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node

from gateway.config_file.reading import Unreadable, parse_yaml
from gateway.registry.lines import nodes_of

_FIRST = ("name", "language", "category", "status", "parameter_format", "components")
_LAST = "fill"
_FIRST_IN_PART = ("type", "sub_type", "otp_type", "format", "param_name", "text", "url", "phone_number")
_LAST_IN_PART = ("example", "buttons", "components", "cards")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_ODD_BREAKS = re.compile("[\r\x85\u2028\u2029\ufeff]")
_ENDLESS = 2**31


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def text(self, text: str) -> Node:
        """Words as they are, texts in quotes, lines as lines."""
        style = '"' if not _WORD.fullmatch(text) else None
        if "\n" in text and not _ODD_BREAKS.search(text):
            style = "|"
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    def part(self, part: dict[str, Any]) -> Node:
        """What it is comes first, and what is long last."""
        return self.represent_mapping("tag:yaml.org,2002:map", dict(sorted(part.items(), key=_rank)))

    def row(self, items: list[Any]) -> Node:
        """On one line when it holds nothing but values."""
        return self.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=_is_plain(items))


_Dumper.add_representer(str, _Dumper.text)
_Dumper.add_representer(list, _Dumper.row)
_Dumper.add_representer(dict, _Dumper.part)


def _rank(entry: tuple[str, Any]) -> int:
    key = entry[0]
    if key in _FIRST_IN_PART:
        return _FIRST_IN_PART.index(key) - len(_FIRST_IN_PART)
    return _LAST_IN_PART.index(key) + 1 if key in _LAST_IN_PART else 0


def _is_plain(items: list[Any]) -> bool:
    return all(_is_plain(item) if isinstance(item, list) else not isinstance(item, dict) for item in items)


def rendered(document: Mapping[str, Any], *, fill_as_written: str | None = None) -> str:
    """The text of a file that holds this document. A fill that somebody wrote stays as it is, comments included, if
    the text gives it. Raises ValueError for what the file could not give back."""
    keys = [*(key for key in _FIRST if key in document), *(key for key in document if key not in (*_FIRST, _LAST))]
    text = _dumped({key: document[key] for key in keys})
    if _LAST in document:
        fills = [_dumped({_LAST: document[_LAST]}), *([fill_as_written] if fill_as_written else [])]
        candidates = [text + fill for fill in reversed(fills)]
    else:
        candidates = [text]
    for candidate in candidates:
        if _gives_back(candidate, document):
            return candidate
    raise ValueError("holds what a YAML file can't give back as it is, such as a number with an exponent")


def _dumped(values: Mapping[str, Any]) -> str:
    """Key by key: at the top they stay in their order."""
    return "".join(
        yaml.dump({key: value}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_ENDLESS, indent=2)
        for key, value in values.items()
    )


def _gives_back(text: str, document: Mapping[str, Any]) -> bool:
    try:
        return bool(parse_yaml(text) == document)
    except Unreadable:
        return False


def fill_written_in(text: str) -> str | None:
    """The lines of a file's `fill`; None where it doesn't stand on lines of its own."""
    root = nodes_of(text)
    if not isinstance(root, MappingNode) or root.flow_style:
        return None
    starts = [key.start_mark.line for key, _ in root.value]
    begin = next((key.start_mark.line for key, _ in root.value if key.value == _LAST), None)
    if begin is None:
        return None
    end = min((start for start in starts if start > begin), default=None)
    lines = text.splitlines(keepends=True)[begin:end]
    return "".join(lines).rstrip("\n") + "\n"
