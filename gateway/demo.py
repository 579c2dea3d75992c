"""The demo: a gateway beside its sandbox on one port, and the lines that show what it does."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.shipped import shipped

SENDER = "Demo Shop"
CONTACT = "380501234567"
KEY = "demo-key"
_WEBHOOK_SECRET = "whsec_ZGVtbyBzZWNyZXQgZm9yIGxvb3BiYWNrIG9ubHk="  # noqa: S105 - everybody's, on loopback only
_PROVIDER_KEY = "sandbox-key"
_CALLBACK_SECRET = "sandbox-callbacks"  # noqa: S105 - the same


def demo_config(port: int) -> Mapping[str, Any]:
    """The demo's configuration, as the file would hold it. Nothing is kept, and nobody but this machine is reached."""
    here = _here(port)
    return {
        "server": {"host": "127.0.0.1", "port": port, "public_url": here, "operator": _operator(port)},
        "store": {"url": "memory:"},
        "paths": {"templates": str(shipped("templates")), "schemas": ""},
        "clients": [
            {
                "name": "demo",
                "keys": [KEY],
                "senders": [SENDER],
                "webhook": {"url": f"{here}/sandbox/desk", "secret": _WEBHOOK_SECRET},
            }
        ],
        "providers": [
            {
                "name": "sandbox",
                "kind": "sandbox",
                "base_url": f"{here}/sandbox/v1/api",
                "key": _PROVIDER_KEY,
                "callback_secret": _CALLBACK_SECRET,
            }
        ],
        "senders": [{"id": SENDER, "provider": "sandbox", "ladder": ["ticket_answer"]}],
        "delivery": {"callback_hosts": {"allow": ["127.0.0.1/32"]}},
    }


def demo_banner(port: int) -> str:
    """What to open and what to type: each command needs only curl and works as it stands, from top to bottom."""
    return _BANNER.format(here=_here(port), contact=CONTACT, sender=SENDER, quoted=SENDER.replace(" ", "%20"), key=KEY)


def _here(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _operator(port: int) -> str:
    """Out of the way of a gateway whose own socket is in the folder in which the demo was started."""
    return str(Path(tempfile.gettempdir()) / f"gateway-demo-{port}.sock")


_BANNER = """\
The gateway runs beside a provider to try things on. Open this page, which has both sides of a conversation:

    {here}/sandbox/

Let the customer write, answer, let 25 hours pass, answer again, and tap the button. Ctrl-C stops it.
The same in another terminal, from top to bottom:

# 1. A customer writes to the shop.
curl -s {here}/sandbox/contacts/{contact}/messages \\
  -d '{{"to": "{sender}", "name": "Olena", "text": "Where is my parcel?"}}'

# 2. The window is open, so the answer leaves as it is: Gateway-Decision says sent.
curl -si -w '\\n' -u {key}: -H 'Content-Type: application/json' -H 'Prefer: wait=5' {here}/v1/api/send-whatsapp \\
  -d '{{"source_addr": "{sender}", "destination_addr": "{contact}", "message_type": 1, "text": "It is on its way."}}'

# 3. What stands on the phone of the customer.
curl -s '{here}/sandbox/messages?contact={contact}'

# 4. A day and an hour go by.
curl -s {here}/sandbox/clock -d '{{"advance": "25h"}}'

# 5. The same answer now leaves as a registered template: Gateway-Decision says downgraded.
curl -si -w '\\n' -u {key}: -H 'Content-Type: application/json' -H 'Prefer: wait=5' {here}/v1/api/send-whatsapp \\
  -d '{{"source_addr": "{sender}", "destination_addr": "{contact}", "message_type": 1, "text": "It is on its way."}}'

# 6. The template stands on the phone, with a button.
curl -s '{here}/sandbox/messages?contact={contact}'

# 7. The customer taps its button, which opens the window again.
curl -s {here}/sandbox/contacts/{contact}/taps -d '{{"to": "{sender}", "button": 0}}'

# 8. Until when the shop may write freely.
curl -s -w '\\n' -H 'Authorization: Bearer {key}' {here}/v1/windows/{quoted}/{contact}

# 9. What the application of the shop was told: what the customer wrote, and where each message stands.
curl -s {here}/sandbox/desk
"""
