"""The table: every kind of template, with sends that conform and each single change to one that the platform refuses.

It is written from the platform's rules alone, so that it does not agree with a mistake of our contract. Each row
names the line of the rules that refuses it.
"""

from __future__ import annotations

from tests.platform import authentication, bodies, buttons, calls, carousels, commerce, headers
from tests.platform.table import Kind

KINDS: tuple[Kind, ...] = (
    *headers.KINDS,
    *bodies.KINDS,
    *buttons.KINDS,
    *calls.KINDS,
    *commerce.KINDS,
    *authentication.KINDS,
    *carousels.KINDS,
)
