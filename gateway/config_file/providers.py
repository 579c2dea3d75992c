"""What each kind of provider must be told, and what its senders must have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gateway.config import CLOUD_API, DIALOG_360, PLATFORM
from gateway.config_file.tree import Place, Problem, Tree, part, rows, text

_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "decision-telecom": ("base_url", "key", "callback_secret"),
    CLOUD_API: ("key", "app_secret", "verify_token"),
    DIALOG_360: ("key", "callback_secret"),
}
_FOREIGN: Mapping[str, Mapping[str, str]] = {
    CLOUD_API: {"callback_secret": "callbacks of the Cloud API are signed; leave it out, app_secret is what counts"},
    DIALOG_360: dict.fromkeys(
        ("app_secret", "verify_token"),
        "360dialog doesn't sign its callbacks; leave it out, callback_secret is what counts",
    ),
    **dict.fromkeys(
        ("decision-telecom", "sandbox"),
        dict.fromkeys(
            ("app_secret", "verify_token", "account"), "belongs to a provider of kind cloud-api; leave it out"
        ),
    ),
}
_HEADER_VALUE = re.compile(r"[!-~]+")
_NUMBER_ID = re.compile(r"[0-9]{1,20}", re.ASCII)


def problems_of_providers(tree: Tree) -> Iterator[Problem]:
    """Every problem of the providers, each by its kind."""
    for place, provider in rows(tree, "providers"):
        kind = text(provider, "kind") or ""
        for key in _REQUIRED.get(kind, ()):
            if key not in provider:
                yield (*place, key), "is missing; add it as config.example.yaml shows"
        for key, remedy in _FOREIGN.get(kind, {}).items():
            if key in provider:
                yield (*place, key), remedy
        key_text = text(provider, "key")
        if kind in PLATFORM and key_text and not _HEADER_VALUE.fullmatch(key_text):
            yield (*place, "key"), "expected an access key, without spaces and line breaks"
        yield from _of_list(place, provider, kind)
        yield from _of_senders(tree, place, provider, kind)


def _of_list(place: Place, provider: Tree, kind: str) -> Iterator[Problem]:
    """A list of templates needs an account and a token; on the Cloud API those of the provider serve.

    Of a kind that there is not, nobody knows what it needs."""
    if kind not in (*_REQUIRED, "sandbox") or not isinstance(provider.get("templates"), dict):
        return
    listed = part(provider, "templates")
    for key, own in (("account", "account"), ("token", "key")):
        if key not in listed and not (kind == CLOUD_API and own in provider):
            yield (*place, "templates", key), "is missing; add it as config.example.yaml shows"


def _of_senders(tree: Tree, place: Place, provider: Tree, kind: str) -> Iterator[Problem]:
    name = text(provider, "name")
    served = [(at, row) for at, row in rows(tree, "senders") if name and text(row, "provider") == name]
    if kind == CLOUD_API:
        for at, row in served:
            if not _NUMBER_ID.fullmatch(text(row, "phone_number_id") or ""):
                remedy = "expected the number's id on the Cloud API, digits in quotes: messages leave by it"
                yield (*at, "phone_number_id"), remedy
    if kind == DIALOG_360 and len(served) > 1:
        for at, _ in served[1:]:
            remedy = "a key of 360dialog is one number's; give each sender a provider of its own"
            yield (*at, "provider"), remedy
