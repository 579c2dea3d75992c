"""Turns what there is to show into HTML. Every value is escaped; a template that names what isn't there is an error."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import hdrs, web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.provider.sandbox.page.assets import Assets
from gateway.provider.sandbox.page.guard import HEADERS
from gateway.provider.sandbox.page.words import spoken

TEMPLATES = Path(__file__).resolve().parent / "templates"


class Renderer:
    def __init__(self, assets: Assets) -> None:
        self._jinja = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._jinja.globals["asset"] = assets.address
        self._jinja.filters |= {"clock": _clock, "day": _day, "iso": _iso, "millis": _millis, "spoken": spoken}
        self._jinja.tests["web_address"] = _is_web_address

    def page(self, template: str, *, status: int = 200, **values: Any) -> web.Response:
        html = self._jinja.get_template(template).render(values)
        return web.Response(
            body=html.encode(errors="replace"),
            status=status,
            content_type="text/html",
            charset="utf-8",
            headers={**HEADERS, hdrs.CACHE_CONTROL: "no-store"},
        )


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%H:%M}"


def _day(at: datetime) -> str:
    return f"{at.astimezone(UTC):%a} {at.day} {at:%b}"


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def _millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _is_web_address(written: str | None) -> bool:
    return (written or "").lower().startswith(("http://", "https://"))
