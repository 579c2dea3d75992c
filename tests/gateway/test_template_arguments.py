"""Arguments of template messages, over real HTTP: mended where that is allowed, refused all at once where it is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.domain.repair import RepairPolicy
from tests.gateway.harness import CONTACT, KEY, SHOP, World, a_world
from tests.template_factories import BODY, a_document, body, button, header, write_template

SECRET_TEXT = "Maria-Müller-4111"
OFFER = {"type": "limited_time_offer", "limited_time_offer": {"text": "Last call", "has_expiration": True}}
CARDS = {
    "type": "carousel",
    "cards": [
        {
            "components": [
                {"type": "header", "format": "image"},
                {
                    "type": "buttons",
                    "buttons": [{"type": "url", "text": "Shop", "url": "https://shop.example/p/{{1}}"}],
                },
            ]
        }
    ]
    * 2,
}


def a_folder(tmp_path: Path, *documents: dict[str, Any]) -> Path:
    folder = tmp_path / "own-templates"
    folder.mkdir()
    for document in documents:
        write_template(folder, document)
    return folder


def a_post(*components: Any, name: str = "order_sent", **more: Any) -> dict[str, Any]:
    params = {"template": {"name": name, "language": "en_US", "components": list(components)}}
    outer = {"source_addr": SHOP, "destination_addr": CONTACT, "message_type": 4, "template_name": name}
    return {**outer, "template_params": params, **more}


def sent_components(world: World) -> Any:
    return json.loads(world.far.arrived[0]["template_params"])["template"]["components"]


async def record(world: World, message_id: int) -> Any:
    return await world.desk.get(f"/v1/messages/{message_id}")


async def test_what_a_templates_file_lets_be_mended_leaves_mended_and_is_told(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, a_document(BODY, repair={"flatten": True, "empty": "-"}))
    async with a_world(tmp_path, templates=folder) as world:
        status, answer, headers = await world.desk.post(a_post(body("Ann\n Lee", "")))
        assert status == 200
        told = "components[0].parameters[0].text flattened, components[0].parameters[1].text defaulted"
        assert headers["Gateway-Repaired"] == told
        await world.far.has(1)
        assert sent_components(world) == [body("Ann Lee", "-")]
        message = await record(world, answer["message_id"])
        (rung,) = message["decision"]["evidence"]["rungs"]
        assert rung["repairs"] == told.split(", ")


async def test_what_a_sender_lets_be_mended_applies_to_templates_that_say_nothing(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, a_document(BODY))
    async with a_world(tmp_path, templates=folder, repair=RepairPolicy(shorten=True)) as world:
        status, _, headers = await world.desk.post(a_post(body("Ann", "x" * 1500)))
        assert (status, headers["Gateway-Repaired"]) == (200, "components[0].parameters[1].text shortened")
        await world.far.has(1)
        assert sent_components(world)[0]["parameters"][1]["text"].endswith("x…")


async def test_nothing_is_mended_where_nobody_asked_for_it(tmp_path: Path) -> None:
    async with a_world(tmp_path, templates=a_folder(tmp_path, a_document(BODY))) as world:
        assert (await world.desk.post(a_post(body("Ann\nLee", "4711"))))[0] == 400
        _, _, headers = await world.desk.post(a_post(body("Ann", "4711")))
        assert "Gateway-Repaired" not in headers


async def test_a_repetition_is_told_of_the_same_repairs(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, a_document(BODY, repair={"flatten": True}))
    async with a_world(tmp_path, templates=folder) as world:
        post = a_post(body("a\nb", "c"))
        answers = [await world.desk.post(post, Idempotency_Key="once") for _ in range(2)]
        assert [headers["Gateway-Repaired"] for _, _, headers in answers] == [
            "components[0].parameters[0].text flattened"
        ] * 2


async def test_every_misfit_is_told_at_once_and_no_customers_text_with_it_or_in_a_log(tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with a_world(tmp_path, templates=a_folder(tmp_path, a_document(BODY))) as world:
            wrong = body(f"{SECRET_TEXT}\n", 5)
            status, answer, _ = await world.desk.post(a_post(wrong, {"type": "footer", SECRET_TEXT: SECRET_TEXT}))
    assert (status, answer["name"]) == (400, "Invalid Parameter: template_params")
    where = "in “Hello {{1}}, your order {{2}} is on its way.”"
    assert set(answer["message"].split("; ")) == {
        '$.template.components[1].type: expected one of "body", "tap_target_configuration", got "footer"',
        "$.template.components[0].parameters[0].text: expected text without line breaks, tabs or more than four spaces "
        f"in a row, and not blank, got a text with a line break (body parameter 1 of 2, {where})",
        f"$.template.components[0].parameters[1].text: expected a text, got a number (body parameter 2 of 2, {where})",
    }
    assert SECRET_TEXT not in json.dumps([answer, logs], default=str)


async def test_of_very_many_misfits_twenty_are_told(tmp_path: Path) -> None:
    many = {"type": "BODY", "text": " ".join(f"and {{{{{number}}}}}" for number in range(1, 31))}
    async with a_world(tmp_path, templates=a_folder(tmp_path, a_document(many))) as world:
        _, answer, _ = await world.desk.post(a_post(body(*[""] * 30)))
    assert answer["message"].count("$.template") == 20


@pytest.mark.parametrize("index", [1, "1", "01"])
async def test_components_leave_in_one_normal_form_however_they_were_written(tmp_path: Path, index: Any) -> None:
    coupon = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "No"}, {"type": "COPY_CODE"}]}
    place = a_document({"type": "HEADER", "format": "LOCATION"}, OFFER, BODY, coupon)
    async with a_world(tmp_path, templates=a_folder(tmp_path, place)) as world:
        location = {"latitude": "50.45", "longitude": 30.5, "name": "Shop", "address": "Main street", "url": None}
        end = {"expiration_time_ms": 1}
        texts = [{"type": "TEXT", "text": "Ann"}, {"type": "text", "text": "1", "parameter_name": None}]
        written = [
            button(index, "COPY_CODE", COUPON_CODE="X") | {"type": "BUTTON"},
            button(0, "QUICK_REPLY", text=True),
            {"type": "LIMITED_TIME_OFFER", "parameters": [{"type": "LIMITED_TIME_OFFER", "limited_time_offer": end}]},
            {"type": "Body", "parameters": texts},
            {"type": "HEADER", "parameters": [{"type": "LOCATION", "location": location}]},
        ]
        written[0]["parameters"][0]["coupon_code"] = written[0]["parameters"][0].pop("COUPON_CODE")
        status, answer, _ = await world.desk.post(a_post(*written))
        assert status == 200, answer
        await world.far.has(1)
        assert sent_components(world) == [
            header(location={"latitude": 50.45, "longitude": 30.5, "name": "Shop", "address": "Main street"}),
            body("Ann", "1"),
            {
                "type": "limited_time_offer",
                "parameters": [{"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": 1}}],
            },
            button("0", "quick_reply", payload="true"),
            button("1", "copy_code", coupon_code="X"),
        ]


async def test_the_cards_of_a_carousel_leave_in_their_order(tmp_path: Path) -> None:
    async with a_world(tmp_path, templates=a_folder(tmp_path, a_document(BODY, CARDS))) as world:
        cards = [
            {"card_index": index, "components": [button(0, "URL", text=f"p{index}"), header(image={"id": "1"})]}
            for index in ("1", 0)
        ]
        status, answer, _ = await world.desk.post(a_post({"type": "CAROUSEL", "cards": cards}, body("Ann", "1")))
        assert status == 200, answer
        await world.far.has(1)
        _, carousel = sent_components(world)
        assert [card["card_index"] for card in carousel["cards"]] == [0, 1]
        assert carousel["cards"][1]["components"] == [header(image={"id": "1"}), button("0", "url", text="p1")]


async def test_a_misfit_in_a_card_is_told_at_its_place_in_the_request(tmp_path: Path) -> None:
    async with a_world(tmp_path, templates=a_folder(tmp_path, a_document(BODY, CARDS))) as world:
        good = [header(image={"id": "1"}), button(0, "url", text="p")]
        cards = [
            {"card_index": 1, "components": [button(0, "url", text="not encoded"), header(image={"id": "1"})]},
            {"card_index": 0, "components": good},
        ]
        _, answer, _ = await world.desk.post(a_post({"type": "carousel", "cards": cards}, body("Ann", "1")))
        assert answer["message"] == (
            "$.template.components[0].cards[0].components[0].parameters[0].text: expected the end of a URL, "
            "percent-encoded, got a text of 11 characters (card 2, the button “Shop”)"
        )


async def test_a_flow_is_completed_with_the_component_that_says_no_more_than_that_it_is_there(tmp_path: Path) -> None:
    flow = {"type": "BUTTONS", "buttons": [{"type": "FLOW", "text": "Book", "flow_id": "1"}]}
    async with a_world(tmp_path, templates=a_folder(tmp_path, a_document(BODY, flow))) as world:
        await world.desk.post(a_post(body("Ann", "1")))
        await world.far.has(1)
        assert sent_components(world)[1] == {"type": "button", "sub_type": "flow", "index": "0"}


async def test_the_original_arguments_are_kept_with_the_message(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, a_document(BODY, repair={"flatten": True}))
    async with a_world(tmp_path, templates=folder) as world:
        _, answer, _ = await world.desk.post(a_post(body("Ann\nLee", "1")), key=KEY)
        message = await record(world, answer["message_id"])
        assert message["content"]["template"]["components"] == [body("Ann\nLee", "1")]


async def test_nothing_is_compiled_while_messages_are_taken_and_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither schemas nor fills: a request would pay for it, and a flood of odd ones would be a way to stop us."""
    fill = {"body": ["{{ message.reference | default('you') | one_line | shorten(60) }}", "4711"]}
    folder = a_folder(tmp_path, a_document(BODY, name="ticket_answer", category="UTILITY", fill=fill))
    async with a_world(tmp_path, templates=folder) as world:

        def compiled(*_: Any, **__: Any) -> None:
            raise AssertionError("something was compiled")

        monkeypatch.setattr("gateway.registry.schema.Draft202012Validator", compiled)
        monkeypatch.setattr("jinja2.Environment.compile", compiled)
        for number, components in enumerate([body("Ann", "1"), body("Ann"), body("a\nb", 5), {"type": "nonsense"}]):
            status, _, _ = await world.desk.post(a_post(components, name="ticket_answer"))
            assert status == (200 if number == 0 else 400)
        for reference in ("one", "two"):
            await world.desk.text("a text that is too late", Gateway_Reference=reference)
        await world.far.has(3)
        monkeypatch.undo()


@pytest.mark.parametrize(("end", "is_over"), [(1_209_600_000, True), (4_102_444_800_000, False)])
async def test_an_offer_that_has_run_out_is_sent_and_warned_of(tmp_path: Path, end: int, is_over: bool) -> None:
    offer = {"type": "limited_time_offer", "limited_time_offer": {"expiration_time_ms": end}}
    folder = a_folder(tmp_path, a_document(OFFER, BODY))
    with capture_logs() as logs:
        async with a_world(tmp_path, templates=folder) as world:
            await world.desk.post(a_post(body("Ann", "1"), {"type": "limited_time_offer", "parameters": [offer]}))
            await world.far.has(1)
    warned = [line for line in logs if line["event"] == "template.offer_is_over"]
    assert [line["template"] for line in warned] == ["order_sent/en_US"] * is_over
