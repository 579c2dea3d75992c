"""How the sandbox shows things to somebody who only has curl."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web


def shown(body: Mapping[str, Any], *, status: int = 200) -> web.Response:
    """JSON that can be read in a terminal, with a new line at its end."""
    text = json.dumps(body, ensure_ascii=False, indent=2) + "\n"
    return web.Response(body=text.encode(errors="replace"), status=status, content_type="application/json")
