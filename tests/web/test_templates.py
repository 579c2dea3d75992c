"""The registered templates as a client may look them up."""

from __future__ import annotations

import pytest

from gateway.domain.health import (
    UNKNOWN_HEALTH,
    Category,
    Coming,
    HealthKey,
    Quality,
    TemplateNews,
    TemplateStatus,
    after_news,
    after_refusal,
)
from gateway.ports import KnownHealth
from tests.web.conftest import NOON, House

PAUSED = TemplateNews(
    status=TemplateStatus.PAUSED, quality=Quality.RED, is_flagged=True, coming=Coming(Category.MARKETING, NOON)
)
UNKNOWN = {
    "usable": True,
    "problem": None,
    "until": None,
    "status": None,
    "status_at": None,
    "flagged": False,
    "quality": None,
    "category": None,
    "coming_category": None,
    "components_changed_at": None,
    "refused": None,
    "drift": None,
}


def learn(house: House, news: TemplateNews, *, provider: str = "dt") -> None:
    key = HealthKey.of(provider, "ticket_answer", "en_US")
    house.parts.health.take([KnownHealth(key=key, health=after_news(UNKNOWN_HEALTH, news, NOON), revision=1)])


async def test_all_registered_templates_are_listed_with_their_health(house: House) -> None:
    listed = await (await house.get("/v1/templates")).json()
    assert listed == {
        "templates": [
            {
                "name": "ticket_answer",
                "language": "en_US",
                "category": "UTILITY",
                "status": "APPROVED",
                "health": {"dt": UNKNOWN},
            }
        ]
    }


@pytest.mark.parametrize("language", ["en_US", "en-US"])
async def test_one_template_is_shown_with_its_definition_and_its_contract(house: House, language: str) -> None:
    shown = await (await house.get(f"/v1/templates/ticket_answer/{language}")).json()
    assert shown["definition"]["components"][0]["type"] == "BODY"
    assert shown["contract"]["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert shown["health"] == {"dt": UNKNOWN}


async def test_what_the_provider_has_told_is_shown(house: House) -> None:
    learn(house, PAUSED)
    health = (await (await house.get("/v1/templates/ticket_answer/en_US")).json())["health"]["dt"]
    assert health == UNKNOWN | {
        "usable": False,
        "problem": "paused",
        "status": "PAUSED",
        "status_at": "2026-03-02T12:00:00.000Z",
        "flagged": True,
        "quality": "RED",
        "coming_category": {"category": "MARKETING", "at": "2026-03-02T12:00:00.000Z"},
    }


async def test_a_refusal_is_shown_with_its_code_and_until_when_it_counts(house: House) -> None:
    key = HealthKey.of("dt", "ticket_answer", "en_US")
    health = after_refusal(UNKNOWN_HEALTH, 132015, NOON, is_filled_by_us=True)
    house.parts.health.take([KnownHealth(key=key, health=health, revision=1)])
    shown = (await (await house.get("/v1/templates")).json())["templates"][0]["health"]["dt"]
    until = "2026-03-02T15:00:00.000Z"
    assert (shown["usable"], shown["until"]) == (False, until)
    assert shown["refused"] == {"code": 132015, "at": "2026-03-02T12:00:00.000Z", "until": until}


async def test_nothing_is_shown_of_providers_that_the_client_has_no_sender_of(house: House) -> None:
    learn(house, PAUSED, provider="other")
    shown = (await (await house.get("/v1/templates")).json())["templates"][0]
    assert shown["health"] == {"dt": UNKNOWN}


async def test_templates_are_for_clients_only(house: House) -> None:
    for path in ("/v1/templates", "/v1/templates/ticket_answer/en_US"):
        assert (await house.get(path, key="somebody")).status == 401


@pytest.mark.parametrize("path", ["ticket_answer/uk", "nobody/en_US"])
async def test_a_template_that_is_not_registered_is_not_found(house: House, path: str) -> None:
    answer = await house.get(f"/v1/templates/{path}")
    assert (answer.status, (await answer.json(content_type=None))["code"]) == (404, "not_found")
