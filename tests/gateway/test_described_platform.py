"""What /openapi.json says is what the server does before a provider of the platform's kind, where most is passed on."""

from __future__ import annotations

import itertools
import json
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from schemathesis.generation import GenerationMode

from gateway.web.openapi import Operation
from gateway.web.openapi_cloud import CLOUD
from gateway.web.openapi_routes import OPERATIONS
from tests.gateway.asking import DIALOG as DIALOG_KEY
from tests.gateway.asking import Asked, ask, in_a_thread, quietly
from tests.gateway.far_platform import ACCOUNT, DIALOG, META, NUMBERS, Before, Number, before_platform
from tests.page.stage import CONTACT

VERSION = "v24.0"
OF_ACCOUNTS = {"message_templates", "phone_numbers", "subscribed_apps"}
OF_THE_KEY = {"/media", "/whatsapp_business_profile"}
"""Of the number that the key is for."""
IMAGE = b"\x89PNG\r\n\x1a\n" + b"".join(
    struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    for kind, body in ((b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)), (b"IEND", b""))
)
UPLOAD = {"file": IMAGE, "type": "image/png", "messaging_product": "whatsapp"}
FORM, JSON = "multipart/form-data", "application/json"
names = map("offer_{}".format, itertools.count())


def body_of(edge: str) -> dict[str, Any]:
    """What the platform takes there."""
    match edge:
        case "media":
            return dict(UPLOAD)
        case "message_templates":
            text = {"type": "BODY", "text": "Your parcel is here."}
            return {"name": next(names), "language": "en_US", "category": "UTILITY", "components": [text]}
        case "whatsapp_business_profile":
            return {"messaging_product": "whatsapp", "about": "Parcels"}
        case "block_users":
            return {"messaging_product": "whatsapp", "block_users": [{"user": CONTACT}]}
        case _:
            return {}


def type_of(edge: str) -> str:
    return FORM if edge == "media" else JSON


def edges_of(row: Operation) -> list[str]:
    (edge,) = (parameter for parameter in row.parameters if parameter["name"] == "edge")
    return list(edge["schema"]["enum"])


@dataclass
class AskedOfPlatform(Asked):
    """With the key of one client, whose number is the only one that it has."""

    number: Number = META

    def key_of(self, operation: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.number.key}"}

    def known_at(self, path: str, edge: str | None = None) -> Mapping[str, Any]:
        if path.endswith("/{edge}"):
            return {**self.known, "id": self.owner_of(edge or "")}
        if path.endswith("/{id}"):
            return {**self.known, "id": self.some_id()}
        return {**self.known, "sealed": self.sealed()} if "{sealed}" in path else self.known

    def knowing(self, case: Any) -> Any:
        """With a body that is taken, every other time."""
        case = super().knowing(case)
        path = case.operation.path
        edge = path[1:] if path in OF_THE_KEY else (case.path_parameters or {}).get("edge")
        if edge is not None and case.operation.method == "post":
            self.turns += 1
            if self.turns % 2:
                case.body, case.media_type = body_of(edge), type_of(edge)
        return case

    def owner_of(self, edge: str) -> str:
        return ACCOUNT if edge in OF_ACCOUNTS else self.number.phone_number_id

    def some_id(self) -> str:
        self.turns += 1
        return [self.owner_of, lambda _: ACCOUNT, lambda _: self.uploaded()][self.turns % 3]("")

    def uploaded(self) -> str:
        found = self.asks("POST", "/media", body=UPLOAD, media_type=FORM)
        assert found.status_code == 200, found.text
        return str(found.json()["id"])

    def sealed(self) -> str:
        found = self.asks("GET", "/{id}", path_parameters={"id": self.uploaded()})
        return str(found.json()["url"].rpartition("/")[2])

    def asks(self, method: str, path: str, *, faultless: bool = True, **rest: Any) -> Any:
        """This alone, and the answer, which is as the description says."""
        case = self.schema[path][method].Case(**{"headers": {}, "query": {}, **rest})
        answer = self.answered(case, faultless=faultless)
        assert b"an error of its own" not in answer.content, "a fault of ours"
        return answer

    def asks_edge(self, method: str, edge: str, prefix: str = "", *, faultless: bool = True) -> Any:
        place = {"id": self.owner_of(edge), "edge": edge, "version": VERSION}
        said = {"body": body_of(edge), "media_type": type_of(edge)} if method == "POST" else {}
        query = {"name": "ticket_answer"} if method == "DELETE" else {}
        path = f"{prefix}/{{id}}/{{edge}}"
        return self.asks(method, path, path_parameters=place, query=query, faultless=faultless, **said)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Before]:
    folder = tmp_path_factory.mktemp("platform")
    with in_a_thread(lambda: before_platform(folder)) as before:
        yield before


@pytest.fixture(scope="module")
def everybody(before: Before) -> Mapping[str, AskedOfPlatform]:
    return {number.kind: _asked(before, number) for number in NUMBERS}


@pytest.fixture(params=[number.kind for number in NUMBERS])
def asked(request: pytest.FixtureRequest, before: Before, everybody: Mapping[str, AskedOfPlatform]) -> AskedOfPlatform:
    """Once before either kind."""
    assert before.far.odd is None
    return everybody[request.param]


def _asked(before: Before, number: Number) -> AskedOfPlatform:
    said = {"to": number.sender, "text": "Hello"}
    heard = requests.post(f"{before.far.url}/sandbox/contacts/{CONTACT}/messages", json=said, timeout=10)
    assert heard.status_code < 300, heard.text
    known = {
        "from": number.sender,
        "to": CONTACT,
        "number": number.phone_number_id,
        "phone_number_id": number.phone_number_id,
        "version": VERSION,
        "message_id": heard.json()["message_id"],
    }
    return AskedOfPlatform(url=before.gateway.base_url, keys={}, known=known, contact=CONTACT, number=number)


# --- what is there ----------------------------------------------------------------------------------------------------

EDGES = [(row.method, edge) for row in OPERATIONS if row.path == "/{id}/{edge}" for edge in edges_of(row)]
REFUSED = {("POST", "message_templates"), ("DELETE", "message_templates"), ("GET", "subscribed_apps")}
"""What 360dialog's style has no path for."""
versions = pytest.mark.parametrize("prefix", ["", "/{version}"])


@versions
@pytest.mark.parametrize(("method", "edge"), EDGES)
def test_what_belongs_to_a_number_or_an_account_is_answered_as_described(
    asked: AskedOfPlatform, method: str, edge: str, prefix: str
) -> None:
    answer = asked.asks_edge(method, edge, prefix)
    refused = asked.number is DIALOG and (method, edge) in REFUSED
    assert answer.status_code == (400 if refused else 200), answer.text


@versions
def test_objects_are_answered_as_described(asked: AskedOfPlatform, prefix: str) -> None:
    for found in (asked.number.phone_number_id, ACCOUNT):
        answer = asked.asks("GET", f"{prefix}/{{id}}", path_parameters={"id": found, "version": VERSION})
        assert (answer.status_code, answer.json()["id"]) == (200, found)


@versions
def test_a_medium_is_uploaded_looked_up_fetched_and_deleted_as_described(asked: AskedOfPlatform, prefix: str) -> None:
    place = {"id": asked.uploaded(), "version": VERSION}
    for query in ({}, {"phone_number_id": asked.number.phone_number_id}):
        found = asked.asks("GET", f"{prefix}/{{id}}", path_parameters=place, query=query)
        assert (found.status_code, found.json()["mime_type"]) == (200, "image/png")
    sealed = {"sealed": found.json()["url"].rpartition("/")[2]}
    whole = asked.asks("GET", "/media/{sealed}", path_parameters=sealed)
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, IMAGE, ["image/png"])
    part = asked.asks("GET", "/media/{sealed}", path_parameters=sealed, headers={"Range": "bytes=0-7"})
    assert (part.status_code, part.content) == (206, IMAGE[:8])
    for status, headers in ((416, {"Range": "bytes=9999-"}), (304, {"If-None-Match": whole.headers["etag"][0]})):
        assert asked.asks("GET", "/media/{sealed}", path_parameters=sealed, headers=headers).status_code == status
    for status in (200, 400):
        deleted = asked.asks("DELETE", f"{prefix}/{{id}}", path_parameters=place)
        assert deleted.status_code == status
    gone = asked.asks("GET", "/media/{sealed}", path_parameters=sealed)
    assert gone.status_code == 404


@pytest.mark.parametrize("path", ["/{number}/messages", "/{version}/{number}/messages", "/messages"])
def test_messages_and_receipts_are_answered_as_described(asked: AskedOfPlatform, path: str) -> None:
    text = {"messaging_product": "whatsapp", "to": CONTACT, "type": "text", "text": {"body": "Hello"}}
    read = {"messaging_product": "whatsapp", "status": "read", "message_id": asked.known["message_id"]}
    for body in (text, read, {**read, "typing_indicator": {"type": "text"}}):
        place = {"number": asked.number.phone_number_id, "version": VERSION}
        answer = asked.asks("POST", path, path_parameters=place, body=body, media_type=JSON)
        assert answer.status_code == 200, answer.text


# --- what may be asked ------------------------------------------------------------------------------------------------

NEVER_WRONG = {("GET", "/whatsapp_business_profile")}
OURS = {"debugToken", "debugTokenOfVersion", "webhookOf360dialog"}
"""What no provider is asked."""
PASSED = [(row.method, row.path) for row in OPERATIONS if row.surface is CLOUD and row.id not in OURS]
BRIEFLY = [(method, path) for method, path in PASSED if "{version}" not in path and not path.endswith("/messages")]


@quietly
@pytest.mark.parametrize(("method", "path"), BRIEFLY)
def test_what_fits_the_description_is_answered_as_it_says(asked: AskedOfPlatform, method: str, path: str) -> None:
    met = ask(asked, method, path, GenerationMode.POSITIVE, 8)
    is_refused = asked.number is DIALOG and (method, path) == ("DELETE", "/{id}/{edge}")
    assert met[400 if is_refused else 200] > 0, met


@quietly
@pytest.mark.parametrize(("method", "path"), BRIEFLY)
def test_what_does_not_fit_is_answered_as_it_says(asked: AskedOfPlatform, method: str, path: str) -> None:
    met = ask(asked, method, path, GenerationMode.NEGATIVE, 4)
    is_of_dialog = asked.number is DIALOG and path == "/v1/configs/templates"
    assert set(met) - {200} or is_of_dialog or (method, path) in NEVER_WRONG, met


@quietly
@pytest.mark.prove
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("method", "path"), [*PASSED, ("POST", "/v1/messages")])
def test_it_is_so_however_long_one_asks(asked: AskedOfPlatform, method: str, path: str, mode: GenerationMode) -> None:
    assert sum(ask(asked, method, path, mode, 100).values()) > 0


# --- what a provider may say ------------------------------------------------------------------------------------------

ERROR = {"error": {"message": "(#100) No", "type": "OAuthException", "code": 100, "fbtrace_id": "A"}}
ITS_OWN = {"meta": {"success": False, "http_code": 400, "developer_message": "No"}}
DATE = {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}
SAID = [
    *((status, ERROR, {}) for status in (400, 401, 403, 404, 408, 413, 415, 418, 422, 500, 502, 503, 504, 599)),
    *((status, ITS_OWN, {}) for status in (400, 404, 500)),
    *((status, ERROR, headers) for status in (429, 503) for headers in ({"Retry-After": "7"}, DATE)),
    (400, {"error": "No"}, {}),
    (400, {"error": {"code": "no", "message": None}}, {}),
    (400, [ERROR], {}),
    (400, {"error": {**ERROR["error"], "code": 190}}, {}),
    (200, {"url": "http://[", "data": [], "paging": {"next": "http://[", "previous": 7}}, {}),
    (200, {"url": "\ud800", "data": [], "paging": {"next": "/?after=\ud800", "previous": "/%zz/\ud800?after"}}, {}),
    (200, {"url": 7, "\ud800": "\ud800"}, {}),
    (201, {"success": True}, {}),
    (202, {}, {}),
    (204, None, {}),
    (302, {}, {"Location": "http://127.0.0.1/"}),
    (200, "no", {}),
    (200, None, {}),
    (503, None, {}),
]
"""A status, a body as JSON or none that is, and headers."""


@pytest.fixture
def told(before: Before) -> Iterator[Callable[[int, Any, Mapping[str, str]], None]]:
    """Makes the provider say this to everything; none as a body is a page that is no JSON."""

    def tell(status: int, body: Any, headers: Mapping[str, str]) -> None:
        before.far.odd = status, b"<html>" if body is None else json.dumps(body).encode(), headers

    yield tell
    before.far.odd = None


@pytest.mark.parametrize("said", SAID, ids=ascii)
def test_whatever_a_provider_says_is_handed_back_as_described(asked: AskedOfPlatform, told: Any, said: Any) -> None:
    number, sealed = asked.number.phone_number_id, asked.sealed()
    told(*said)
    for method, edge in EDGES:
        asked.asks_edge(method, edge, faultless=False)
    for method, path, place in (
        ("GET", "/{id}", {"id": number}),
        ("GET", "/{id}", {"id": ACCOUNT}),
        ("GET", "/{id}", {"id": "77"}),
        ("DELETE", "/{id}", {"id": "77"}),
        ("GET", "/media/{sealed}", {"sealed": sealed}),
    ):
        asked.asks(method, path, path_parameters=place, faultless=False)
    asked.asks("POST", "/media", body=UPLOAD, media_type=FORM, faultless=False)
    for path in ("/messages", "/{number}/messages", "/v1/messages"):
        key = {DIALOG_KEY: asked.number.key} if path == "/v1/messages" else {}
        read = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.HBgL"}
        asked.asks(
            "POST", path, path_parameters={"number": number}, headers=key, body=read, media_type=JSON, faultless=False
        )
