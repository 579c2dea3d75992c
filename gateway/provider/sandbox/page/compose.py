"""What the agent composes: fields of a form become the body of ``POST /v1/api/send-whatsapp``.

Nothing is checked here: whatever was typed is posted, and the gateway says what it thinks of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.provider.sandbox.page.choice import Choice
from gateway.provider.sandbox.reading import Misuse
from gateway.provider.sandbox.templates import MEDIA, Registered, Templates, slots

TEXT, IMAGE, TEMPLATE = 1, 2, 4

Form = Mapping[str, str]
Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One argument that a template wants."""

    name: str
    """Of the form's field."""
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateForm:
    key: str
    label: str
    status: str
    header: str
    body: str
    footer: str
    fields: Sequence[Field]


def template_forms(templates: Templates) -> Sequence[TemplateForm]:
    return [_form(template) for template in templates.values()]


def template_form(templates: Templates, key: str) -> TemplateForm:
    """The form of one template. Raises Misuse."""
    return _form(_registered(templates, key))


def composed(asked: Form, choice: Choice, templates: Templates) -> Body:
    """The message that a form describes. Raises Misuse for a template that is not registered."""
    common = {"source_addr": choice.sender, "destination_addr": choice.contact}
    match asked.get("kind"):
        case "template":
            return {**common, **_template(asked, choice, _registered(templates, asked.get("template", "")))}
        case "image":
            picture = {"message_type": IMAGE, "file_url": asked.get("file_url", "").strip()}
            return {**common, **picture, "text": asked.get("caption", "") or None}
        case _:
            return {**common, "message_type": TEXT, "text": asked.get("text", "")}


def described(body: Body) -> str:
    """The message in a line, for one that was not taken."""
    name = body.get("template_name")
    return f"Template {name}" if name else str(body.get("text") or body.get("file_url") or "")


def _form(template: Registered) -> TemplateForm:
    header = f"({template.header_format.lower()})" if template.header_format in MEDIA else template.header_text
    return TemplateForm(
        key=f"{template.name}/{template.language}",
        label=f"{template.name} ({template.language})",
        status=template.status,
        header=header,
        body=template.body,
        footer=template.footer,
        fields=[Field(name=name, label=label) for name, label in _fields(template)],
    )


def _fields(template: Registered) -> Iterator[tuple[str, str]]:
    if template.header_format in MEDIA:
        yield "arg:header", f"Link to the {template.header_format.lower()} of the header"
    for name in slots(template.header_text):
        yield f"arg:header:{name}", f"Header, {{{{{name}}}}}"
    for name in slots(template.body):
        yield f"arg:body:{name}", f"Body, {{{{{name}}}}}"
    for index, button in enumerate(template.buttons):
        if slots(button.url):
            yield f"arg:button:{index}", f"End of the address of “{button.text}”"


def _registered(templates: Templates, key: str) -> Registered:
    name, _, language = key.rpartition("/")
    if (template := templates.get((name, language))) is None:
        raise Misuse("template", "expected a template that is registered")
    return template


def _template(asked: Form, choice: Choice, template: Registered) -> Body:
    params = {
        "to": choice.contact,
        "type": "template",
        "template": {
            "name": template.name,
            "language": {"policy": "deterministic", "code": template.language},
            "components": list(_components(asked, template)),
        },
    }
    return {"message_type": TEMPLATE, "template_name": template.name, "template_params": json.dumps(params)}


def _components(asked: Form, template: Registered) -> Iterator[Body]:
    if template.header_format in MEDIA:
        kind = template.header_format.lower()
        yield {"type": "header", "parameters": [{"type": kind, kind: {"link": asked.get("arg:header", "").strip()}}]}
    for part, text in (("header", template.header_text), ("body", template.body)):
        if names := slots(text):
            yield {"type": part, "parameters": [_parameter(asked, template, part, name) for name in names]}
    for index, button in enumerate(template.buttons):
        if slots(button.url):
            suffix = {"type": "text", "text": asked.get(f"arg:button:{index}", "")}
            yield {"type": "button", "sub_type": "url", "index": str(index), "parameters": [suffix]}


def _parameter(asked: Form, template: Registered, part: str, name: str) -> Body:
    named = {"parameter_name": name} if template.is_named else {}
    return {"type": "text", **named, "text": asked.get(f"arg:{part}:{name}", "")}
