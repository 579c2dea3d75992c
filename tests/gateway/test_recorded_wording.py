"""What a record says that a customer read is what was read, whatever became of the template since."""

from __future__ import annotations

from pathlib import Path

from tests.gateway.harness import a_world
from tests.gateway.test_template_arguments import a_folder, a_post
from tests.template_factories import BODY, a_document, body, write_template


async def test_a_template_that_was_reworded_since_tells_no_more_what_was_read(tmp_path: Path) -> None:
    plain = a_document({"type": "BODY", "text": "There is news."}, name="ticket_answer", fill={})
    folder = a_folder(tmp_path, a_document(BODY), plain)
    async with a_world(tmp_path, templates=folder) as world:
        _, answer, _ = await world.desk.post(a_post(body("Ann", "4711")))
        message = await world.desk.until(answer["message_id"], "submitted")
        assert message["explanation"]["rendered"]["body"] == "Hello Ann, your order 4711 is on its way."
        write_template(folder, a_document({"type": "BODY", "text": "Good news, {{1}}: {{2}} left us."}))
        assert await world.gateway.reload()
        message = await world.desk.get(f"/v1/messages/{answer['message_id']}")
        assert message["explanation"]["rendered"] is None
        assert message["explanation"]["template"] == {"name": "order_sent", "language": "en_US"}
