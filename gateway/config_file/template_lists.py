"""Where providers' templates are listed, for those who need nothing else of a configuration."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.config import CLOUD_API, TemplateListConfig
from gateway.config_file.parties import template_list
from gateway.config_file.tree import Place, Tree, rows, text

_KEYS = ("name", "templates")
_OWN = ("kind", "base_url", "key", "account")
"""What serves for the list as well, where the provider is the one that lists."""


def bare_providers(tree: Tree) -> Tree:
    """The providers with what their lists need alone."""
    providers = [{key: row[key] for key in _needed(row) if key in row} for _, row in rows(tree, "providers")]
    return {"providers": providers} if providers else {}


def _needed(row: Tree) -> tuple[str, ...]:
    is_own = "templates" in row and row.get("kind") == CLOUD_API
    return (*_KEYS, *_OWN) if is_own else _KEYS


def lists_read_in(tree: Tree) -> Mapping[str, bool]:
    """By the names of all providers that have one whether their lists are read; whatever else is wrong with them."""
    named = ((text(row, "name"), row) for _, row in rows(tree, "providers"))
    return {name: "templates" in row for name, row in named if name is not None}


def is_of_list(place: Place) -> bool:
    """Whether a problem at this place is one of a list."""
    return len(place) > 2 and place[0] == "providers" and place[2] in (*_KEYS, *_OWN[1:])


def lists_in(tree: Tree) -> Mapping[str, TemplateListConfig]:
    """By the names of those providers that have one; the values were found good."""
    read = ((row["name"], template_list(row)) for _, row in rows(tree, "providers"))
    return {name: listed for name, listed in read if listed is not None}
