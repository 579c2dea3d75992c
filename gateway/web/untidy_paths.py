"""Paths with a slash too many, as a base URL makes them that ends with one: taken as if it were not there.

A redirect would say the same, and not every client repeats a POST with its body and its key.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from aiohttp import web
from yarl import URL

_SLASHES = re.compile("/{2,}")


def tidied(path: str) -> str:
    """The path without empty parts."""
    return _SLASHES.sub("/", path).rstrip("/") or "/"


class UntidyPaths(web.AbstractResource):
    """Finds for such a path what stands at the tidy one, if it is one of these routes: what a proxy keeps from others
    by how its path begins is not found by another beginning. Register it last: what is tidy never comes so far."""

    def __init__(self, router: web.UrlDispatcher, canonical: Collection[str]) -> None:
        super().__init__()
        self._router = router
        self._canonical = frozenset(canonical)

    @property
    def canonical(self) -> str:
        return "/"

    async def resolve(self, request: web.Request) -> tuple[web.UrlMappingMatchInfo | None, set[str]]:
        path = tidied(request.rel_url.raw_path)
        if path == request.rel_url.raw_path:
            return None, set()
        found = await self._router.resolve(request.clone(rel_url=URL(path, encoded=True)))
        resource = found.route.resource
        is_ours = resource is not None and not found.apps and resource.canonical in self._canonical
        return (found, set()) if is_ours else (None, set())

    def url_for(self, **_: str) -> URL:
        raise RuntimeError("nothing leads to an untidy path")

    def add_prefix(self, prefix: str) -> None:
        raise RuntimeError("only an application of its own has these")

    def get_info(self) -> Any:
        return {"path": self.canonical}

    def raw_match(self, path: str) -> bool:
        return False

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[web.AbstractRoute]:
        return iter(())
