"""A desk built on heyoo, whose addresses are attributes of its client. Prints what it saw as JSON."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import queue
import sys
from typing import Any

from heyoo import WhatsApp
from hook import listen

ASKED = json.loads(os.environ["ASKED"])
WITHIN = 20

heard: queue.Queue[dict[str, Any]] = queue.Queue()
told: list[dict[str, Any]] = []
news: queue.Queue[None] = queue.Queue()

messenger = WhatsApp(ASKED["key"], phone_number_id=ASKED["phone_number_id"])
messenger.base_url = f"{ASKED['base_url']}/v14.0"
messenger.v15_base_url = f"{ASKED['base_url']}/v15.0"
messenger.url = f"{messenger.base_url}/{ASKED['phone_number_id']}/messages"


def take(body: bytes, signature: str) -> tuple[str, int]:
    """As its example does, with the signature that it leaves to its user."""
    expected = "sha256=" + hmac.new(ASKED["secret"].encode(), body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, signature):
        return "no", 401
    update = json.loads(body)
    if messenger.is_message(update):
        heard.put(
            {
                "text": messenger.get_message(update),
                "from": messenger.get_mobile(update),
                "name": messenger.get_name(update),
                "id": messenger.get_message_id(update),
            }
        )
    elif messenger.get_delivery(update):
        status = messenger.preprocess(update)["statuses"][0]
        told.append({"id": status["id"], "status": messenger.get_delivery(update), "tracker": None})
        news.put(None)
    return "", 200


sent: dict[str, str] = {}
errors: dict[str, int] = {}


def note(what: str, answer: Any) -> None:
    if isinstance(answer, dict) and "error" in answer:
        errors[what] = answer["error"]["code"]
    elif isinstance(answer, dict):
        sent[what] = answer["messages"][0]["id"] if "messages" in answer else str(answer["success"])
    else:  # where it fails, this one call of heyoo's gives the whole answer
        errors[what] = answer.json()["error"]["code"]


def main() -> None:
    listen(ASKED["port"], take, lambda _, challenge: (challenge, 200))
    print("ready", flush=True)
    message = heard.get(timeout=WITHIN)
    contact = message["from"]
    note("text", messenger.send_message("It is on its way.", contact))
    note("image", messenger.send_image("https://shop.example/parcel.jpg", contact, caption="Your parcel"))
    body = [{"type": "body", "parameters": [{"type": "text", "text": "4711"}]}]
    note("template", messenger.send_template(ASKED["template"], contact, components=body, lang="en_US"))
    replies = [{"type": "reply", "reply": {"id": word, "title": word.title()}} for word in ("yes", "no")]
    asked = {"type": "button", "body": {"text": "Did it arrive?"}, "action": {"buttons": replies}}
    note("buttons", messenger.send_reply_button(asked, contact))
    note("reaction", messenger.send_reaction("👍", message["id"], contact))
    note("read", messenger.mark_as_read(message["id"]))
    note("closed", messenger.send_message("Hello, stranger", ASKED["stranger"]))
    while not {"sent", "delivered"} <= {one["status"] for one in told if one["id"] == sent.get("text")}:
        news.get(timeout=WITHIN)
    json.dump({"heard": message, "sent": sent, "errors": errors, "templates": None, "told": told}, sys.stdout)


main()
