"""A registered template as values: its texts with their placeholders, its header, its buttons, its cards."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.domain.message import JsonObject

Place = tuple[str | int, ...]
"""Where a value stands: keys and indices from the top."""

BODY_LIMIT = 1024
OFFER_BODY_LIMIT = 600
CARD_BODY_LIMIT = 160
HEADER_LIMIT = 60
FOOTER_LIMIT = 60
URL_LIMIT = 2000
OFFER_LIMIT = 16
BUTTONS_LIMIT = 10
LABEL_LIMIT = 25
PHONE_LIMIT = 20
COUPON_LIMIT = 20
CODE_LIMIT = 15
CARDS = (2, 10)
CARD_BUTTONS_LIMIT = 2
SECTIONS_LIMIT = 10
SECTION_TITLE_LIMIT = 24
PRODUCTS_LIMIT = 30
"""Source: Meta, template components, limited-time offers, carousels and product lists (2026): lengths count after the
arguments are filled in. Its pages say 20 and 15 of a coupon code: the longer is taken. That a one-time code has at
most 15 characters is second-hand."""

LINK_LIMIT = 8192
"""Of media. The platform's pages name none; links that are signed are long."""

PLACEHOLDER = re.compile(r"\{\{([^{}]*)\}\}")
POSITIONAL = re.compile(r"[1-9][0-9]{0,2}")


def shown(place: Place, *, under: str = "") -> str:
    """A place as people write it: ``components[1].text``, or a path that goes on from `under`."""
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return f"{under}{steps}" if under else steps.removeprefix(".")


class ParameterFormat(StrEnum):
    POSITIONAL = "POSITIONAL"
    NAMED = "NAMED"


class HeaderFormat(StrEnum):
    TEXT = "TEXT"
    IMAGE = "IMAGE"
    VIDEO = "VIDEO"
    DOCUMENT = "DOCUMENT"
    GIF = "GIF"
    LOCATION = "LOCATION"
    PRODUCT = "PRODUCT"


MEDIA = frozenset({HeaderFormat.IMAGE, HeaderFormat.VIDEO, HeaderFormat.DOCUMENT, HeaderFormat.GIF})


class ButtonType(StrEnum):
    QUICK_REPLY = "QUICK_REPLY"
    URL = "URL"
    PHONE_NUMBER = "PHONE_NUMBER"
    COPY_CODE = "COPY_CODE"
    OTP = "OTP"
    FLOW = "FLOW"
    CATALOG = "CATALOG"
    MPM = "MPM"
    SPM = "SPM"
    VOICE_CALL = "VOICE_CALL"
    APP = "APP"
    REQUEST_CONTACT_INFO = "REQUEST_CONTACT_INFO"
    CALL_PERMISSION_REQUEST = "CALL_PERMISSION_REQUEST"


GRAMMAR = frozenset(
    word.lower()
    for word in (
        *HeaderFormat,
        *ButtonType,
        *("HEADER", "BODY", "FOOTER", "BUTTON", "BUTTONS", "CAROUSEL", "LIMITED_TIME_OFFER"),
        *("TAP_TARGET_CONFIGURATION", "PAYLOAD", "COUPON_CODE", "ACTION", "CURRENCY", "DATE_TIME", "TTL_MINUTES"),
        *("AUDIO", "STICKER"),
    )
)
"""Words of the platform's grammar, which may be told as they were written: none of them is a customer's."""


@dataclass(frozen=True, slots=True)
class Wording:
    """A text with placeholders."""

    text: str
    parameters: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """The names between the braces, each once: numbers in their order, names in order of appearance."""
    fixed: int = field(init=False, repr=False, compare=False)
    """How many characters stand outside the placeholders."""
    uses: Mapping[str, int] = field(init=False, repr=False, compare=False)
    """How often each placeholder stands in it."""

    def __post_init__(self) -> None:
        uses = Counter(PLACEHOLDER.findall(self.text))
        is_positional = all(map(POSITIONAL.fullmatch, uses))
        object.__setattr__(self, "parameters", tuple(sorted(uses, key=int) if is_positional else uses))
        object.__setattr__(self, "fixed", len(PLACEHOLDER.sub("", self.text)))
        object.__setattr__(self, "uses", dict(uses))

    def bound(self, arguments: Mapping[str, str]) -> str:
        """The text with its arguments in place; nothing in an argument is taken for a placeholder."""
        return PLACEHOLDER.sub(lambda match: arguments.get(match[1], match[0]), self.text)


NO_WORDING = Wording("")


@dataclass(frozen=True, slots=True)
class Header:
    format: HeaderFormat
    wording: Wording = NO_WORDING
    """Empty unless it is a text."""


@dataclass(frozen=True, slots=True)
class Button:
    type: ButtonType
    url: Wording = NO_WORDING
    """Empty unless it opens one."""
    label: str = ""
    takes_code: bool = False
    """Its argument is the one-time code of an authentication template."""

    @property
    def sub_type(self) -> str:
        """The word for it in the components of a message. A one-time code is sent as the end of a URL."""
        return "url" if self.type is ButtonType.OTP else self.type.value.lower()


@dataclass(frozen=True, slots=True)
class Offer:
    """What a limited-time offer shows above the body."""

    text: str
    has_expiration: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """What is shown together: a card of a carousel, or the template itself."""

    parameter_format: ParameterFormat
    header: Header | None
    body: Wording
    """Empty on a card without a text."""
    buttons: tuple[Button, ...]
    body_limit: int
    """Characters, the arguments counted."""

    @property
    def is_named(self) -> bool:
        return self.parameter_format is ParameterFormat.NAMED


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateDefinition(Face):
    """A template as it is registered. `document` is the whole definition, fields we don't know included."""

    name: str
    language: str
    category: str
    status: str
    namespace: str | None
    footer: str = ""
    offer: Offer | None = None
    cards: tuple[Face, ...] = ()
    document: JsonObject

    @property
    def is_approved(self) -> bool:
        """Only an approved template can be sent."""
        return self.status == "APPROVED"

    @property
    def is_of_code(self) -> bool:
        """Its text says a one-time code, and nothing else that changes."""
        return len(self.body.parameters) == 1 and any(button.takes_code for button in self.buttons)


def fold_language(language: str) -> str:
    """The one spelling of a language: ``en-US`` is ``en_US``."""
    return language.replace("-", "_")
