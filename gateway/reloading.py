"""A running gateway takes changed template files: all of them, or none when one of them is broken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict

import structlog

from gateway.config import Config
from gateway.domain.errors import ConfigInvalid
from gateway.ladders import ladder_problems
from gateway.metrics import Metrics
from gateway.registry import Changes, Registry

log = structlog.get_logger()


class Reloading:
    """Reads the files anew when somebody asks for it, one time after the other."""

    def __init__(
        self,
        *,
        config: Config,
        registry: Registry,
        metrics: Metrics,
        changed: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._config = config
        self._registry = registry
        self._metrics = metrics
        self._changed = changed
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self) -> Changes | None:
        """What has changed; None when something is broken, and nothing has."""
        async with self._one_at_a_time:
            try:
                loaded = await asyncio.to_thread(self._load)  # it takes long, and messages are sent meanwhile
            except ConfigInvalid as invalid:
                log.error("templates.reload_refused", problems=list(invalid.problems))  # noqa: TRY400 - problems of files, not ours
            except Exception:  # whatever files can do to their reader: the gateway goes on with what it has
                log.exception("templates.reload_failed")
            else:
                return await self._taken_over(loaded)
        self._metrics.templates_reloaded("refused")
        return None

    def _load(self) -> Registry:
        loaded = Registry.load(self._config.templates, self._config.schemas)
        problems = [*ladder_problems(self._config, loaded)]
        if problems:
            raise ConfigInvalid(problems)
        return loaded

    async def _taken_over(self, loaded: Registry) -> Changes:
        changes = self._take_over(loaded)
        if changes and self._changed is not None:
            await self._changed()
        return changes

    def _take_over(self, loaded: Registry) -> Changes:
        known = self._registry.warnings
        changes = self._registry.take_over(loaded)
        for warning in loaded.warnings:
            if warning not in known:
                log.warning("templates.warning", warning=warning)
        log.info("templates.reloaded" if changes else "templates.unchanged", **asdict(changes))
        self._metrics.templates_reloaded("reloaded" if changes else "unchanged")
        return changes
