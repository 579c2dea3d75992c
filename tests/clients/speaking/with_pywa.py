"""A desk built on pywa, as its users write one; only the address of the API is ours. Prints what it saw as JSON."""

from __future__ import annotations

import json
import os
import queue
import sys

from hook import listen
from pywa import WhatsApp, types
from pywa.errors import WhatsAppError
from pywa.types.templates import BodyText, TemplateLanguage

ASKED = json.loads(os.environ["ASKED"])
WITHIN = 20

heard: queue.Queue[types.Message] = queue.Queue()
told: list[dict[str, str | None]] = []
news: queue.Queue[None] = queue.Queue()

wa = WhatsApp(
    phone_id=ASKED["phone_number_id"],
    token=ASKED["key"],
    server=None,
    verify_token=ASKED["verify_token"],
    app_secret=ASKED["secret"],
    waba_id=ASKED["account"],
)
wa.api._session.base_url = f"{ASKED['base_url']}/v24.0"


@wa.on_message
def on_message(_: WhatsApp, message: types.Message) -> None:
    heard.put(message)


@wa.on_message_status
def on_status(_: WhatsApp, status: types.MessageStatus) -> None:
    told.append({"id": status.id, "status": status.status.value, "tracker": status.tracker})
    news.put(None)


def take(body: bytes, signature: str) -> tuple[str, int]:
    refused = wa.webhook_update_validator(body, signature)
    return refused or wa.webhook_update_handler(body)


sent: dict[str, str] = {}
errors: dict[str, int] = {}


def attempt(what: str, send: object) -> None:
    try:
        done = send()  # type: ignore[operator]
        sent[what] = getattr(done, "id", None) or str(bool(done))
    except WhatsAppError as error:
        errors[what] = error.code


def main() -> None:
    listen(ASKED["port"], take, lambda token, challenge: wa.webhook_challenge_handler(token, challenge))
    print("ready", flush=True)
    message = heard.get(timeout=WITHIN)
    sender = message.from_user
    attempt("text", lambda: message.reply_text("It is on its way.", tracker="ticket-7"))
    attempt("image", lambda: wa.send_image(sender.wa_id, "https://shop.example/parcel.jpg", caption="Your parcel"))
    attempt(
        "template",
        lambda: wa.send_template(
            sender.wa_id, ASKED["template"], TemplateLanguage.ENGLISH_US, [BodyText.params("4711")]
        ),
    )
    buttons = [types.Button("Yes", "yes"), types.Button("No", "no")]
    attempt("buttons", lambda: wa.send_message(sender.wa_id, "Did it arrive?", buttons=buttons))
    attempt("reaction", lambda: message.react("👍"))
    attempt("read", message.mark_as_read)
    attempt("closed", lambda: wa.send_message(ASKED["stranger"], "Hello, stranger"))
    try:
        templates = [[template.name, template.language.value] for template in wa.get_templates()]
    except WhatsAppError as error:
        templates = [["error", str(error.code)]]
    while not {"sent", "delivered"} <= {one["status"] for one in told if one["id"] == sent.get("text")}:
        news.get(timeout=WITHIN)
    json.dump(
        {
            "heard": {"text": message.text, "from": sender.wa_id, "user_id": sender.bsuid, "id": message.id},
            "sent": sent,
            "errors": errors,
            "templates": templates,
            "told": told,
        },
        sys.stdout,
    )


main()
