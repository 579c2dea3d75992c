"""The operator's templates: read from files, compiled once, filled in, and checked against their contracts."""

from gateway.domain.ladder import Key
from gateway.registry.changes import Changes
from gateway.registry.fill_text import FillFacts
from gateway.registry.loading import key_of, template_paths, tightening_paths
from gateway.registry.proof import Proof, unproved
from gateway.registry.registered import RegisteredTemplate
from gateway.registry.registry import Registry

__all__ = [
    "Changes",
    "FillFacts",
    "Key",
    "Proof",
    "RegisteredTemplate",
    "Registry",
    "key_of",
    "template_paths",
    "tightening_paths",
    "unproved",
]
