"""The operator's templates: read from files, compiled once, filled in, and checked against their contracts."""

from gateway.registry.changes import Changes
from gateway.registry.fill_text import FillFacts
from gateway.registry.ladders import missing_rungs
from gateway.registry.loading import Key, key_of, template_paths, tightening_paths
from gateway.registry.registered import RegisteredTemplate
from gateway.registry.registry import Registry, rungs_of

__all__ = [
    "Changes",
    "FillFacts",
    "Key",
    "RegisteredTemplate",
    "Registry",
    "key_of",
    "missing_rungs",
    "rungs_of",
    "template_paths",
    "tightening_paths",
]
