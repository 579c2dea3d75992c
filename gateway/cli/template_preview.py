"""``gateway templates preview``: the filled message, as the customer will read it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from gateway.cli.bubble import bubble
from gateway.cli.options import config_option, json_option
from gateway.domain.compliance import Rung
from gateway.domain.errors import TemplateRefused
from gateway.domain.example import example_of
from gateway.domain.message import JsonObject, TemplateMessage
from gateway.domain.rendered import rendered
from gateway.domain.template import fold_language

if TYPE_CHECKING:
    from gateway.registry import RegisteredTemplate

_DOES_NOT_FIT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of the message that the template stands in for."""

    sender: str
    text: str | None
    file_url: str | None
    contact_name: str | None
    reference: str | None

    @property
    def are_given(self) -> bool:
        return any(fact is not None for fact in (self.text, self.file_url, self.contact_name, self.reference))


@click.command("preview")
@click.argument("name", metavar="NAME[/LANGUAGE]")
@click.option("--text", help="Fill it for a message with this text.")
@click.option("--file-url", help="Fill it for a message with the picture at this URL.")
@click.option("--contact-name", help="Fill it for a contact of this name.")
@click.option("--reference", help="Fill it for a message with this Gateway-Reference.")
@click.option(
    "--components",
    type=click.File(encoding="utf-8"),
    metavar="FILE",
    help='JSON: the components of a message, or a template object that has them. "-" is standard input.',
)
@config_option
@json_option
def preview_template(
    name: str,
    text: str | None,
    file_url: str | None,
    contact_name: str | None,
    reference: str | None,
    components: TextIO | None,
    path: Path,
    as_json: bool,
) -> None:
    """Show a template as the customer will read it: with its own examples, filled for a message, or with arguments.

    Arguments are checked as for a message that is sent; what does not fit is told, and the exit code is 2.
    """
    from gateway.cli.templates import Shelf

    shelf = Shelf.at(path)
    template = shelf.registry.template(*shelf.find(name))
    assert template is not None  # noqa: S101 - it was found among those that there are
    sender = next((ladder.sender for ladder in shelf.ladders), "sender")
    facts = Facts(sender=sender, text=text, file_url=file_url, contact_name=contact_name, reference=reference)
    source, message = _message(template, facts, components)
    try:
        template.check(message, at="$.template", must_be_approved=False)
    except TemplateRefused as refused:
        _tell_misfits(refused, as_json=as_json)
        raise SystemExit(_DOES_NOT_FIT) from None
    _tell(template, source, template.judged(message, must_be_approved=False), as_json=as_json)


def _message(template: RegisteredTemplate, facts: Facts, components: TextIO | None) -> tuple[str, TemplateMessage]:
    """Where the arguments come from, and the message with them. Raises click.UsageError."""
    if components is not None and facts.are_given:
        raise click.UsageError("give --components, or what the fill speaks of, not both")
    if components is not None:
        return "components", _with(template, _components_in(components, template))
    if facts.are_given:
        return "fill", _filled(template, facts)
    return "examples", _with(template, example_of(template.definition).components)


def _with(template: RegisteredTemplate, components: tuple[JsonObject, ...]) -> TemplateMessage:
    definition = template.definition
    return TemplateMessage(name=definition.name, language=definition.language, components=components)


def _filled(template: RegisteredTemplate, facts: Facts) -> TemplateMessage:
    from gateway.registry import FillFacts
    from gateway.registry.fill_text import FillFailed

    if template.fill is None:
        raise click.UsageError("this template has no fill, so it can't stand in for a message; give --components")
    try:
        return template.filled(
            FillFacts(
                sender_id=facts.sender,
                contact_name=facts.contact_name,
                text=facts.text,
                file_url=facts.file_url,
                reference=facts.reference,
            )
        )
    except FillFailed as failed:
        raise click.UsageError(f"it can't stand in for this message: {failed}") from None


def _components_in(file: TextIO, template: RegisteredTemplate) -> tuple[JsonObject, ...]:
    said = _parsed(file.read(), file)
    for key in ("template_params", "template", "components"):
        said = said.get(key, said) if isinstance(said, dict) else said
        said = _parsed(said, file) if isinstance(said, str) else said
        if key == "template" and isinstance(said, dict):
            _expect_same(said, template, file)
    if not isinstance(said, list):
        raise click.UsageError(f"{file.name}: expected a list of components, or a template object that has them")
    return tuple(said)


def _parsed(text: str, file: TextIO) -> Any:
    from gateway.registry.files import FileInvalid, parse_json

    try:
        text.encode()
        return parse_json(text)
    except (FileInvalid, UnicodeEncodeError):
        raise click.UsageError(f"{file.name}: expected JSON") from None


def _expect_same(said: JsonObject, template: RegisteredTemplate, file: TextIO) -> None:
    """Arguments of another template would be shown as this one's."""
    language = said.get("language")
    code = language.get("code") if isinstance(language, dict) else language
    own = template.definition
    if said.get("name") not in (None, own.name) or (code and fold_language(str(code)) != own.language):
        raise click.UsageError(f"{file.name}: is for another template than {own.name}/{own.language}")


def _tell_misfits(refused: TemplateRefused, *, as_json: bool) -> None:
    misfits = [{"path": misfit.path, "text": misfit.text} for misfit in refused.misfits]
    if as_json:
        click.echo(json.dumps({"problems": misfits}, indent=2, ensure_ascii=False))
        return
    for misfit in refused.misfits:
        click.echo(str(misfit), err=True)


def _tell(template: RegisteredTemplate, source: str, rung: Rung, *, as_json: bool) -> None:
    message = rung.message
    assert message is not None  # noqa: S101 - it was found to fit
    read = rendered(template.definition, message.components)
    if as_json:
        whole = {
            "name": message.name,
            "language": message.language,
            "filled_from": source,
            "components": message.components,
            "repairs": rung.repairs,
            "rendered": read,
            "problems": [],
        }
        click.echo(json.dumps(whole, indent=2, ensure_ascii=False))
        return
    told = {"examples": "with its own examples", "fill": "as its fill makes it", "components": "with these arguments"}
    click.echo(f"{message.name}/{message.language}, {told[source]}:")
    for line in bubble(read):
        click.echo(line)
    for repair in rung.repairs:
        click.echo(f"mended: {repair}")
