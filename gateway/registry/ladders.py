"""Whether the ladders of senders lead anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from gateway.config import SenderConfig
from gateway.registry.registry import Registry


def missing_rungs(senders: Sequence[SenderConfig], registry: Registry, folder: Path) -> Iterator[str]:
    """Rungs without a template: a configuration with one does not start, and none is reloaded."""
    for index, sender in enumerate(senders):
        for rung in registry.missing_rungs(sender.ladder, sender.language):
            remedy = f"add its file to {folder}, or take it off the ladder"
            yield f"senders[{index}].ladder: there is no template {rung}; {remedy}"
