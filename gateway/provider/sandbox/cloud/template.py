"""Template messages by the platform's API: which code says what is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.provider.sandbox.cloud.complaint import Refused, complaint, wrong
from gateway.provider.sandbox.cloud.content import Ground
from gateway.provider.sandbox.cloud.fields import Fields
from gateway.provider.sandbox.filling import Filled, fill
from gateway.provider.sandbox.misfit import Miscount, Misfit, Overlong
from gateway.provider.sandbox.templates import Registered

NAME_LENGTH = 512
ONE_CODE_SINCE = (23, 0)
"""From this version on one code stands for all that is wrong with parameters."""

_UNSENDABLE = {"PAUSED": 132015, "DISABLED": 132016}


def read_template_message(message: Fields, ground: Ground) -> tuple[Registered, Filled]:
    """The template, and how it is filled in. Raises Refused."""
    template = message.within("template")
    registered = _registered(template, ground)
    try:
        filled = fill(registered, template.values.get("components"))
    except Misfit as misfit:
        raise Refused(complaint(_code_of(misfit, ground.version), str(misfit))) from None
    for media_id in _uploads(filled):
        if ground.mime_type(media_id) is None:
            raise wrong("template.components", "the id of an uploaded medium was expected")
    return registered, filled


def _registered(template: Fields, ground: Ground) -> Registered:
    language = template.within("language")
    name, code = template.text("name", NAME_LENGTH), language.text("code", 16)
    if language.values.get("policy", "deterministic") != "deterministic":
        raise wrong(language.at("policy"), "deterministic was expected")
    registered = ground.templates.get((name, code))
    if registered is None:
        raise Refused(complaint(132001, f"template name ({name}) does not exist in {code}"))
    if registered.status != "APPROVED":
        unsendable = _UNSENDABLE.get(registered.status, 132001)
        raise Refused(complaint(unsendable, f"template name ({name}) in {code} is {registered.status}"))
    return registered


def _code_of(misfit: Misfit, version: tuple[int, int] | None) -> int:
    if isinstance(misfit, Overlong):
        return 132005
    if version is None or version >= ONE_CODE_SINCE:
        return 132018
    return 132000 if isinstance(misfit, Miscount) else 132012


def _uploads(filled: Filled) -> Iterator[str]:
    """The media that are named by an id."""
    for part in (filled, *filled.cards):
        if part.medium is not None and "://" not in part.medium:
            yield part.medium
