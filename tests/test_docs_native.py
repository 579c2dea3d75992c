"""The page about the native surface: its lines are typed, its tables name what there is."""

from __future__ import annotations

import asyncio
import json
import os
import re
from pathlib import Path

from gateway.domain.errors import GatewayError
from gateway.shipped import shipped
from gateway.web import wire_errors  # noqa: F401 - its errors count too
from gateway.web.openapi_messages import NATIVE
from gateway.web.openapi_routes import OPERATIONS
from tests.page.stage import a_gateway
from tests.readme import FENCE, ROOT

PAGE = (ROOT / "docs" / "native.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def first_column(section: str, head: str) -> list[str]:
    table = SECTIONS[section].partition(f"| {head} |")[2].partition("\n\n")[0]
    return [name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)]


async def typed(script: str, url: str) -> str:
    told = await asyncio.create_subprocess_exec(
        "bash",
        "-ec",
        script,
        env={"PATH": os.environ["PATH"], "GATEWAY": url, "KEY": "demo-key"},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(told.communicate(), 30)
    assert told.returncode == 0, script
    return out.decode()


async def test_each_line_works_as_it_stands(tmp_path: Path) -> None:
    async with a_gateway(tmp_path) as gateway:
        for section, text in SECTIONS.items():
            for _, _, script in FENCE.findall(text):
                told = await typed(script, gateway.base_url)
                assert told.startswith("<!doctype") if section == "GET /docs" else "code" not in json.loads(told), told


def test_every_route_of_the_surface_has_its_place() -> None:
    rows = {f"{row.method} {row.path}" for row in OPERATIONS if row.surface is NATIVE}
    assert set(SECTIONS) == rows | {"GET /openapi.json", "GET /docs"}


def test_the_fields_of_the_body_are_those_of_its_schemas() -> None:
    native, cloud = (
        json.loads((shipped("schemas") / f"{name}.schema.json").read_text(encoding="utf-8"))["properties"]
        for name in ("native-message", "cloud-message")
    )
    kinds, always = set(cloud["type"]["enum"]), {"messaging_product", "recipient_type"}
    assert set(first_column("POST /v1/messages", "field | holds")) == {*native, *cloud} - kinds - always
    assert [kind for kind in kinds if f"`{kind}`" not in SECTIONS["POST /v1/messages"]] == []


def test_the_keys_of_the_receipt_are_those_of_its_schema() -> None:
    from gateway.web.openapi_answers import ANSWERS

    assert first_column("POST /v1/messages", "key | holds") == list(ANSWERS["receipt"]["properties"])


def test_every_code_in_the_table_is_one_of_ours() -> None:
    table = SECTIONS["POST /v1/messages"].partition("| status |")[2]
    codes = set(re.findall(r"`([a-z_]+)`", "\n".join(row.split("|")[2] for row in table.splitlines() if "|" in row)))
    ours = {kind.code for kind in _kinds(GatewayError)} | {
        "code",
        "template_unknown",
        "template_paused",
        "template_arguments",
    }
    assert codes - ours == set()


def _kinds(kind: type[GatewayError]) -> set[type[GatewayError]]:
    return {kind}.union(*(_kinds(each) for each in kind.__subclasses__()))


def test_links_lead_to_pages() -> None:
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", PAGE)]
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
