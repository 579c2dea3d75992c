from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.provider.sandbox.cloud import media
from tests.provider.sandbox.cloud.stage import (
    BUSINESS,
    KEY,
    NUMBER,
    NUMBER_ID,
    OTHER_ID,
    OTHER_KEY,
    Cloud,
    a_message,
    a_template,
    explained,
)

PICTURE = b"\x89PNG" + bytes(2_000)
UPLOADED = f"/v24.0/{NUMBER_ID}/media"


def a_form(content: bytes = PICTURE, **fields: str) -> aiohttp.FormData:
    """The type comes after the file, as some clients send it."""
    form = aiohttp.FormData()
    form.add_field("file", content, filename="a.png", content_type="image/png")
    for name, value in {"messaging_product": "whatsapp", **fields}.items():
        form.add_field(name, value)
    return form


async def uploaded(cloud: Cloud, content: bytes = PICTURE, **fields: str) -> str:
    status, body = await cloud.call("POST", UPLOADED, data=a_form(content, **fields))
    assert (status, list(body)) == (200, ["id"]), body
    assert body["id"].isdigit()
    assert int(body["id"]) < 2**53
    return str(body["id"])


async def download(cloud: Cloud, url: str, key: str | None = KEY) -> tuple[int, str, bytes]:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    async with cloud.http.get(url, headers=headers) as answer:
        return answer.status, answer.content_type, await answer.read()


# --- media ----------------------------------------------------------------------------------------------------------


async def test_what_is_uploaded_can_be_looked_up_sent_downloaded_and_deleted(cloud: Cloud):
    media_id = await uploaded(cloud)
    status, told = await cloud.call("GET", f"/v24.0/{media_id}")
    url = told.pop("url")
    sha256 = hashlib.sha256(PICTURE).hexdigest()
    size = {"mime_type": "image/png", "sha256": sha256, "file_size": len(PICTURE)}
    assert (status, told) == (200, {"messaging_product": "whatsapp", "id": media_id, **size})
    assert url.startswith("http://127.0.0.1:")
    assert await download(cloud, url) == (200, "image/png", PICTURE)
    await cloud.customer_writes()
    await cloud.sent(type="image", image={"id": media_id})
    assert await cloud.call("DELETE", f"/v24.0/{media_id}") == (200, {"success": True})
    assert (await cloud.refused(type="image", image={"id": media_id}))[1] == 131009
    assert (await download(cloud, url))[0] == 404


async def test_a_file_is_kept_for_thirty_days_and_its_address_for_five_minutes(cloud: Cloud):
    media_id = await uploaded(cloud)
    _, told = await cloud.call("GET", f"/v24.0/{media_id}")
    await cloud.play("/clock", {"advance": "5m1s"})
    assert (await download(cloud, told["url"]))[0] == 404
    assert (await cloud.call("GET", f"/v24.0/{media_id}"))[0] == 200
    await cloud.play("/clock", {"advance": "30d"})
    assert (await cloud.call("GET", f"/v24.0/{media_id}"))[0] == 400


async def test_a_file_is_shown_to_nobody_without_its_number_s_key(cloud: Cloud):
    media_id = await uploaded(cloud)
    _, told = await cloud.call("GET", f"/v24.0/{media_id}")
    answers = [(await download(cloud, told["url"], key))[0] for key in (None, "wrong", OTHER_KEY)]
    assert answers == [401, 401, 404]
    assert (await cloud.call("GET", f"/v24.0/{media_id}", key=OTHER_KEY))[0] == 400
    assert (await cloud.call("DELETE", f"/v24.0/{media_id}", key=OTHER_KEY))[0] == 400
    assert (await download(cloud, told["url"]))[0] == 200


async def test_a_number_in_the_query_sees_and_deletes_its_own_files_alone(cloud: Cloud):
    media_id = await uploaded(cloud)
    another, own = (f"/v24.0/{media_id}?phone_number_id={number}" for number in (OTHER_ID, NUMBER_ID))
    assert [(await cloud.call(method, another))[0] for method in ("GET", "DELETE")] == [400, 400]
    assert [(await cloud.call(method, own))[0] for method in ("GET", "DELETE", "GET")] == [200, 200, 400]


async def test_a_file_is_sent_only_by_the_number_that_has_it_and_as_what_it_is(cloud: Cloud):
    media_id = await uploaded(cloud)
    await cloud.customer_writes()
    assert (await cloud.refused(type="video", video={"id": media_id}))[1] == 131053
    await cloud.customer_writes(to=OTHER_ID)
    message = a_message(type="image", image={"id": media_id})
    _, body = await cloud.post(message, number=OTHER_ID, key=OTHER_KEY)
    assert explained(body)[0] == 131009


async def test_the_header_of_a_template_may_be_an_uploaded_file_and_no_other(cloud: Cloud):
    def a_parcel(media_id: str) -> dict[str, Any]:
        named = [("customer", "Olena"), ("number", "7")]
        texts = [{"type": "text", "parameter_name": name, "text": text} for name, text in named]
        components = [
            {"type": "header", "parameters": [{"type": "image", "image": {"id": media_id}}]},
            {"type": "body", "parameters": texts},
            {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "7"}]},
        ]
        return a_template("parcel", components=components)

    await cloud.sent(**a_parcel(await uploaded(cloud)))
    assert (await cloud.refused(**a_parcel("1")))[1] == 131009


async def test_the_product_may_stand_in_the_query_and_the_body_come_in_chunks(cloud: Cloud):
    form = aiohttp.FormData()

    async def pieces() -> Any:
        yield PICTURE[:5]
        yield PICTURE[5:]

    form.add_field("file", pieces(), filename="a.png", content_type="image/png")
    status, body = await cloud.call("POST", f"{UPLOADED}?messaging_product=whatsapp", data=form)
    assert (status, list(body)) == (200, ["id"])


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


WRONG = {
    "no product": (a_form, {"messaging_product": ""}, 100),
    "no such type": (a_form, {"type": "application/x-dosexec"}, 100),
    "empty": (a_form, {"content": b""}, 131008),
}


@pytest.mark.parametrize(("form", "fields", "code"), WRONG.values(), ids=WRONG)
async def test_an_upload_that_is_wrong_leaves_nothing(
    cloud: Cloud, form: Any, fields: Any, code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    status, body = await cloud.call("POST", UPLOADED, data=form(**fields))
    assert (status, explained(body)[0]) == (400, code)
    assert files_in(tmp_path) == []


BROKEN_PART = b'--x\r\nContent-Disposition: form-data; name="\x17"\r\n\r\n1\r\n--x--\r\n'
NO_FORMS = (
    ("multipart/form-data", b"nonsense"),
    ("multipart/form-data; boundary=x", b"nonsense"),
    ("multipart/form-data; boundary=x", BROKEN_PART),
    ("text/plain", b"nonsense"),
)


@pytest.mark.parametrize(("content_type", "sent"), NO_FORMS)
async def test_a_body_that_is_no_form_is_refused(cloud: Cloud, content_type: str, sent: bytes):
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": content_type}
    status, body = await cloud.call("POST", UPLOADED, headers=headers, data=sent)
    assert (status, explained(body)[0]) == (400, 100)


async def test_a_file_has_the_largest_size_of_its_type(cloud: Cloud):
    status, body = await cloud.call("POST", UPLOADED, data=a_form(bytes(501 * 1024), type="image/webp"))
    assert (status, explained(body)[0]) == (400, 131053)
    await uploaded(cloud, bytes(499 * 1024), type="image/webp")


async def test_all_files_together_are_bounded_and_the_oldest_goes(cloud: Cloud, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(media, "LARGEST_TOGETHER", 5_000)
    first, *others = [await uploaded(cloud) for _ in range(3)]
    answers = [(await cloud.call("GET", f"/{media_id}"))[0] for media_id in (first, *others)]
    assert answers == [400, 200, 200]


async def test_uploads_at_once_do_not_mix(cloud: Cloud):
    contents = [bytes([number]) * 3_000 for number in range(1, 9)]
    ids = await asyncio.gather(*(uploaded(cloud, content) for content in contents))
    told = [(await cloud.call("GET", f"/v24.0/{media_id}"))[1] for media_id in ids]
    assert [each["sha256"] for each in told] == [hashlib.sha256(content).hexdigest() for content in contents]


# --- numbers, profiles, tokens --------------------------------------------------------------------------------------


async def test_a_number_says_what_it_is_and_only_what_was_asked_for(cloud: Cloud):
    _, whole = await cloud.call("GET", f"/v24.0/{NUMBER_ID}")
    assert whole["id"] == NUMBER_ID
    assert whole["display_phone_number"] == f"+{NUMBER}"
    assert whole["quality_rating"] == "GREEN"
    _, asked = await cloud.call("GET", f"/{NUMBER_ID}?fields=quality_rating,nonsense")
    assert asked == {"quality_rating": "GREEN", "id": NUMBER_ID}


@pytest.mark.parametrize("written", ["999", OTHER_ID])
async def test_what_is_not_there_can_not_be_looked_up(cloud: Cloud, written: str):
    status, body = await cloud.call("GET", f"/v24.0/{written}")
    assert (status, body["error"]["code"], body["error"]["error_subcode"]) == (400, 100, 33)


async def test_a_business_lists_its_numbers(cloud: Cloud):
    _, body = await cloud.call("GET", f"/v24.0/{BUSINESS}/phone_numbers")
    assert [each["id"] for each in body["data"]] == [NUMBER_ID, OTHER_ID]
    assert (await cloud.call("GET", "/v24.0/999/phone_numbers"))[0] == 400


async def test_a_profile_is_what_was_said_of_it(cloud: Cloud):
    profile = f"/v24.0/{NUMBER_ID}/whatsapp_business_profile"
    _, body = await cloud.call("GET", profile)
    assert body["data"][0]["about"]  # there before anybody says anything
    about = {"messaging_product": "whatsapp", "about": "We answer", "vertical": "RETAIL"}
    assert await cloud.call("POST", profile, json=about) == (200, {"success": True})
    assert await cloud.call("GET", profile) == (200, {"data": [about]})
    asked = {"about": "We answer", "messaging_product": "whatsapp"}
    assert await cloud.call("GET", f"{profile}?fields=about") == (200, {"data": [asked]})
    by_key = "/whatsapp_business_profile"  # as 360dialog has it: its key is one number's
    assert await cloud.call("GET", by_key, headers={"D360-API-KEY": KEY}) == (200, {"data": [about]})
    assert await cloud.call("POST", by_key, headers={"D360-API-KEY": KEY}, json=asked) == (200, {"success": True})
    assert (await cloud.call("POST", profile, json={"about": "x"}))[0] == 400
    assert (await cloud.call("POST", profile, json={**about, "about": "x" * 5_000}))[0] == 400


async def test_a_token_is_valid_if_it_is_known(cloud: Cloud):
    for token, is_valid in ((OTHER_KEY, True), ("nonsense", False)):
        _, body = await cloud.call("GET", f"/v24.0/debug_token?input_token={token}")
        assert body["data"]["is_valid"] is is_valid
    assert (await cloud.call("GET", "/v24.0/debug_token"))[0] == 400


# --- templates ------------------------------------------------------------------------------------------------------

LIST = f"/v24.0/{BUSINESS}/message_templates"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("status=PAUSED", ["paused_one"]),
        ("status=approved&category=MARKETING", ["offer"]),
        ("name=arc", ["parcel"]),
        ("language=uk", []),
        ("language=en_US&name=offer", ["offer"]),
    ],
)
async def test_templates_are_found_by_what_they_are(cloud: Cloud, query: str, names: list[str]):
    _, body = await cloud.call("GET", f"{LIST}?{query}")
    assert [each["name"] for each in body["data"]] == names


@pytest.mark.parametrize(("limit", "pages"), [(2, 3), (5, 1), (1, 5)])
async def test_the_list_is_read_page_by_page_by_following_next_alone(cloud: Cloud, limit: int, pages: int):
    url, names, read = f"{cloud.url}{LIST}?limit={limit}&fields=name&access_token={KEY}", [], 0
    while url:
        read += 1
        async with cloud.http.get(url) as answer:
            body = await answer.json()
        names += [each["name"] for each in body["data"]]
        url = body["paging"].get("next")
    assert (names, read) == (["code", "offer", "parcel", "paused_one", "ticket_answer"], pages)


async def test_a_summary_is_given_when_it_is_asked_for(cloud: Cloud):
    assert "summary" not in (await cloud.call("GET", LIST))[1]
    _, body = await cloud.call("GET", f"{LIST}?status=PAUSED&summary=total_count")
    summary = body["summary"]
    assert (summary["total_count"], summary["message_template_count"]) == (1, 5)
    assert set(summary) == {
        *("total_count", "message_template_count", "message_template_limit", "are_translations_complete")
    }


async def test_a_template_that_is_made_waits_for_approval(cloud: Cloud):
    made = {"name": "fresh", "language": "en_US", "category": "UTILITY", "components": [{"type": "BODY", "text": "Hi"}]}
    status, body = await cloud.call("POST", LIST, json=made)
    assert (status, body["status"], body["category"]) == (200, "PENDING", "UTILITY")
    assert (await cloud.refused(**a_template("fresh")))[1] == 132001
    await cloud.play("/templates", {"template": "fresh", "status": "APPROVED"})
    await cloud.sent(**a_template("fresh"))
    _, listed = await cloud.call("GET", f"{LIST}?name=fresh")
    assert listed["data"][0]["id"] == body["id"]
    assert (await cloud.call("POST", LIST, json=made))[0] == 400
    assert (await cloud.call("POST", LIST, json={"name": "broken"}))[0] == 400


async def test_360dialog_lists_templates_in_its_own_form(cloud: Cloud):
    _, body = await cloud.call("GET", "/v1/configs/templates", headers={"D360-API-KEY": OTHER_KEY})
    assert (body["count"], body["total"], len(body["waba_templates"])) == (5, 5, 5)
    assert {each["status"] for each in body["waba_templates"]} == {"approved", "paused"}
