"""The lines of the platform's rules that refuse a message: where each stands, and the words by which to find it."""

from __future__ import annotations

from typing import NamedTuple


class Rule(NamedTuple):
    """`number` is a section of the rules, or ``decided`` where they are silent and we had to choose."""

    number: str
    words: str

    @property
    def is_decided(self) -> bool:
        return self.number == "decided"


INVALID = Rule("2 code 100", "invalid parameter (unknown/misspelled/too long)")
MISSING = Rule("2 code 131008", "required parameter missing")

BODY_LENGTH = Rule("3.2 body text", "body text (hydrated) | 1024")
OFFER_LENGTH = Rule("3.2 body text", "LTO body 600")
CARD_LENGTH = Rule("3.2 body text", "carousel card body 160")
HEADER_LENGTH = Rule("3.2 header text", "60 chars / at most 1 param")
URL_LENGTH = Rule("3.2 URL", "2000 incl. suffix")
URL_ENCODED = Rule("3.2 URL", "value must be percent-encoded")
COUPON_LENGTH = Rule("3.2 coupon code", "accept <=20")
OTP_LENGTH = Rule("3.2 OTP code", "| OTP code | 15 |")
EACH_CARD = Rule("3.2 carousel", "send exactly as many as defined")
SECTIONS = Rule("3.2 interactive", "<=10 sections")
SECTION_TITLE = Rule("3.2 interactive", "section title 24")
PRODUCTS = Rule("3.2 interactive", "<=30 products")
TEXT = Rule("3.2 param text", "no newline, tab, >4 consecutive spaces, not empty")

TEXT_HEADER = Rule("3.3 rule 1", "HEADER TEXT with a placeholder -> exactly one")
HEADER_NAME = Rule("3.3 rule 1", "named => parameter_name required")
STATIC_HEADER = Rule("3.3 rule 1", "header component must be absent or empty")
MEDIA_HEADER = Rule("3.3 rule 2", "HEADER IMAGE|VIDEO|DOCUMENT|GIF -> required")
MEDIUM = Rule("3.3 rule 2", "{id xor link, filename? (document)}")
LOCATION = Rule("3.3 rule 2", "{latitude,longitude,name,address}")
PRODUCT = Rule("3.3 rule 2", "{product_retailer_id, catalog_id}")
COUNT = Rule("3.3 rule 3", "POSITIONAL -> `minItems=maxItems=n`")
UNNAMED = Rule("3.3 rule 3", "order significant, no parameter_name")
NAMES = Rule("3.3 rule 3", "set of parameter_name must equal the set of names")
KINDS_OF_TEXT = Rule("3.3 rule 3", "Types: text `{text}`")
CURRENCY = Rule("3.3 rule 3", "currency `{fallback_value,code,amount_1000}`")
DATE_TIME = Rule("3.3 rule 3", "date_time `{fallback_value,...}`")
NO_BODY = Rule("3.3 rule 3", "0 placeholders -> body absent or `parameters: []`")
INDEX = Rule("3.3 rule 4", "index = position in BUTTONS")
QUICK_REPLY = Rule("3.3 rule 4 QUICK_REPLY", "{sub_type:quick_reply,parameters:[{type:payload,payload}]}")
URL_BUTTON = Rule("3.3 rule 4 URL", "URL with `{{` -> **required**")
STATIC_URL = Rule("3.3 rule 4 URL", "static URL -> none")
COPY_CODE = Rule("3.3 rule 4 COPY_CODE", "COPY_CODE -> required")
OTP = Rule("3.3 rule 4 OTP", "OTP -> required, `sub_type:url, index:0, text=<code>`")
OTP_BODY = Rule("3.3 rule 4 OTP", "**and** body text=<code>")
FLOW = Rule("3.3 rule 4 FLOW", "action:{flow_token?,flow_action_data?}")
CATALOG = Rule("3.3 rule 4 CATALOG", "CATALOG -> optional action.thumbnail_product_retailer_id")
MPM = Rule("3.3 rule 4 MPM", "MPM -> required action")
MPM_SECTIONS = Rule("3.3 rule 4 MPM", "sections[{title,product_items[{product_retailer_id}]}]")
NO_ARGUMENTS = Rule(
    "3.3 rule 4", "PHONE_NUMBER, SPM, VOICE_CALL, REQUEST_CONTACT_INFO, CALL_PERMISSION_REQUEST -> none"
)
OFFER = Rule("3.3 rule 5", "LIMITED_TIME_OFFER with has_expiration")
EXPIRATION = Rule("3.3 rule 5", "Validate as positive int")
CARDS = Rule("3.3 rule 6", "minItems=maxItems=len(cards)")
CARD = Rule("3.3 rule 6", "cards:[{card_index:i,components:[...]}]")
IN_CARD = Rule("3.3 rule 6", "recursive with rules 2-4 per card")
EXTRA = Rule("3.3 rule 7", "Unknown extra components -> reject")

WHOLE_LOCATION = Rule("decided", "a location needs latitude, longitude, name and address")
COORDINATES = Rule("decided", "latitude -90 to 90, longitude -180 to 180")
WHOLE_AMOUNT = Rule("decided", "a currency needs fallback_value, code and amount_1000; a date_time its fallback_value")
ONE_CODE = Rule("decided", "the code in the body and the code of the button are the same")
PERCENT = Rule("decided", "a percent sign in the suffix of a URL begins a percent-encoding")
CARD_INDEX = Rule("decided", "card_index is an integer or digits, each card once")
SECTION = Rule("decided", "1 to 10 sections, each with a title of at most 24 characters and products, 30 in all")
VOICE_CALL = Rule("decided", "a VOICE_CALL takes ttl_minutes and payload, and needs neither")

ALL = tuple(value for value in list(globals().values()) if isinstance(value, Rule))
