"""Where providers' templates are listed, for those who need nothing else of a configuration."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.config import TemplateListConfig
from gateway.config_file.building import template_list
from gateway.config_file.tree import Place, Tree, rows, text

_KEYS = ("name", "templates")


def bare_providers(tree: Tree) -> Tree:
    """The providers with what their lists need alone."""
    providers = [{key: row[key] for key in _KEYS if key in row} for _, row in rows(tree, "providers")]
    return {"providers": providers} if providers else {}


def lists_read_in(tree: Tree) -> Mapping[str, bool]:
    """By the names of all providers that have one whether their lists are read; whatever else is wrong with them."""
    named = ((text(row, "name"), row) for _, row in rows(tree, "providers"))
    return {name: "templates" in row for name, row in named if name is not None}


def is_of_list(place: Place) -> bool:
    """Whether a problem at this place is one of a list."""
    return len(place) > 2 and place[0] == "providers" and place[2] in _KEYS


def lists_in(tree: Tree) -> Mapping[str, TemplateListConfig]:
    """By the names of those providers that have one; the values were found good."""
    return {row["name"]: template_list(row["templates"]) for _, row in rows(tree, "providers") if "templates" in row}
