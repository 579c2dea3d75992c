"""Bodies are read strictly: what two readers could read differently is refused, all else is read as it stands."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.errors import InvalidRequest
from gateway.web.strict_json import parse_body, parse_field
from gateway.web.wire_errors import UnreadableBody

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**53) + 1, max_value=2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=20
)
DOCUMENTS = st.dictionaries(TEXTS, VALUES, max_size=5)


def nested(levels: int) -> str:
    """An object that holds arrays, `levels` deep in all."""
    return '{"a":' + "[" * (levels - 1) + "]" * (levels - 1) + "}"


@settings(deadline=None)
@given(DOCUMENTS, st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_a_valid_document_is_read_as_the_standard_reader_reads_it(
    document: dict[str, Any], ascii_only: bool, indent: int | str | None
) -> None:
    written = json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode()
    assert parse_body(written) == json.loads(written)


@settings(deadline=None)
@given(DOCUMENTS, st.data())
def test_a_damaged_document_is_refused_or_read_as_the_standard_reader_reads_it(
    document: dict[str, Any], data: st.DataObject
) -> None:
    written = bytearray(json.dumps(document).encode())
    place = data.draw(st.integers(0, len(written) - 1))
    written[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    try:
        read = parse_body(bytes(written))
    except UnreadableBody:
        return
    assert read == json.loads(bytes(written))


@settings(deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes_are_an_object_or_a_refusal(body: bytes) -> None:
    with suppress(UnreadableBody):
        assert isinstance(parse_body(body), dict)


@pytest.mark.parametrize(
    ("body", "path", "expected"),
    [
        pytest.param(b"", "$", "JSON", id="nothing"),
        pytest.param(b"[]", "$", "an object", id="an array"),
        pytest.param(b"null", "$", "an object", id="null"),
        pytest.param(b'"text"', "$", "an object", id="a string"),
        pytest.param(b'{"a": 1', "$", "line 1 column 8", id="cut off"),
        pytest.param(b'{"a": 1} x', "$", "line 1 column 10", id="something after it"),
        pytest.param(b"{'a': 1}", "$", "JSON", id="single quotes"),
        pytest.param(b'{"a": "line\nbreak"}', "$", "JSON", id="a raw line break in a string"),
        pytest.param(b'{"a": "\0"}', "$", "JSON", id="a raw NUL"),
        pytest.param(b'{"a": 01}', "$", "JSON", id="a leading zero"),
        pytest.param(b'{"a": NaN}', "$.a", "finite", id="NaN"),
        pytest.param(b'{"a": [Infinity]}', "$.a[0]", "finite", id="Infinity"),
        pytest.param(b'{"a": {"b c": -Infinity}}', '$.a["b c"]', "finite", id="minus Infinity"),
        pytest.param(b'{"a": 1e400}', "$.a", "64 bits", id="a float that overflows"),
        pytest.param(b'{"a": 9007199254740992}', "$.a", "an integer between", id="2**53"),
        pytest.param(b'{"a": -9007199254740992}', "$.a", "an integer between", id="-2**53"),
        pytest.param(b'{"a": 1' + b"0" * 5000 + b"}", "$.a", "an integer between", id="5001 digits"),
        pytest.param(b'{"a": 1, "b": 2, "a": 1}', "$.a", "each name once", id="a repeated name"),
        pytest.param(b'{"x": [{"a": 1, "\\u0061": 1}]}', "$.x[0].a", "each name once", id="repeated by an escape"),
        pytest.param(b'{"a": {"b": "x\\u0000"}}', "$.a.b", "without NUL", id="an escaped NUL"),
        pytest.param(b'{"a": "\\ud800"}', "$.a", "without NUL and lone", id="a lone high surrogate"),
        pytest.param(b'{"a": "\\uDFFF x"}', "$.a", "without NUL and lone", id="a lone low surrogate"),
        pytest.param(b'{"a": "\\udc00\\ud800"}', "$.a", "without NUL and lone", id="surrogates the wrong way round"),
        pytest.param(b'{"\\ud800": 1}', "$", "names without NUL", id="a lone surrogate in a name"),
        pytest.param(b'{"a": "\xff"}', "$", "UTF-8; byte 8", id="not UTF-8"),
        pytest.param(b'{"a": "\xed\xa0\x80"}', "$", "UTF-8; byte 8", id="a surrogate as UTF-8"),
        pytest.param(b"\xef\xbb\xbf{}", "$", "byte order mark", id="a byte order mark"),
        pytest.param('{"a": 1}'.encode("utf-16"), "$", "UTF-8", id="UTF-16"),
        pytest.param('{"a": 1}'.encode("utf-16-le"), "$", "JSON", id="UTF-16 without a mark"),
        pytest.param(nested(33).encode(), "$.a" + "[0]" * 31, "32 levels", id="33 levels"),
        pytest.param(b'{"a":' * 33 + b"1" + b"}" * 33, "$" + ".a" * 32, "32 levels", id="33 levels of objects"),
        pytest.param(b' {"a": ' * 33 + b"1" + b"}" * 33, "$" + ".a" * 32, "32 levels", id="the same, with spaces"),
        pytest.param(nested(900).encode(), "$.a" + "[0]" * 31, "32 levels", id="900 levels"),
        pytest.param(nested(100_000).encode(), "$", "32 levels", id="100,000 levels"),
        pytest.param(b"[" * 100_000, "$", "32 levels", id="100,000 levels, never closed"),
    ],
)
def test_what_readers_disagree_on_is_refused_with_its_place(body: bytes, path: str, expected: str) -> None:
    with pytest.raises(UnreadableBody) as refusal:
        parse_body(body)
    assert refusal.value.path == path
    assert expected in refusal.value.expected


@pytest.mark.parametrize(
    ("body", "read"),
    [
        pytest.param(b'{"a": 9007199254740991}', {"a": 2**53 - 1}, id="2**53 - 1"),
        pytest.param(b'{"a": -9007199254740991}', {"a": 1 - 2**53}, id="1 - 2**53"),
        pytest.param(b'{"a": "\\ud83d\\ude00"}', {"a": "\N{GRINNING FACE}"}, id="a surrogate pair"),
        pytest.param(b'{"a": "\\\\u0000"}', {"a": "\\u0000"}, id="a backslash before u0000"),
        pytest.param(b' \t\r\n{"a": [{}, []]}\n', {"a": [{}, []]}, id="white space around it"),
        pytest.param(b'{"": ""}', {"": ""}, id="an empty name"),
        pytest.param(nested(32).encode(), json.loads(nested(32)), id="32 levels"),
        pytest.param(b'{"a": "' + b"[" * 99 + b'"}', {"a": "[" * 99}, id="brackets in a text"),
        pytest.param(
            b'{"a":' * 32 + b"1" + b"}" * 32, json.loads('{"a":' * 32 + "1" + "}" * 32), id="32 levels of objects"
        ),
        pytest.param(b'{"a": "' + b"{" * 99 + b'"}', {"a": "{" * 99}, id="braces in a text"),
        pytest.param(b'{"a": [' + b"[]," * 99 + b"[]]}", {"a": [[]] * 100}, id="many arrays side by side"),
    ],
)
def test_what_only_looks_suspicious_is_read(body: bytes, read: dict[str, Any]) -> None:
    assert parse_body(body) == read


def test_the_depth_is_the_configured_one() -> None:
    assert parse_body(nested(3).encode(), depth=3) == {"a": [[]]}
    with pytest.raises(UnreadableBody, match="at most 3 levels"):
        parse_body(nested(4).encode(), depth=3)


def test_a_field_that_holds_json_is_read_as_strictly_and_named() -> None:
    assert parse_field('{"template": {}}', field="template_params") == {"template": {}}
    with pytest.raises(InvalidRequest) as refusal:
        parse_field('{"template": {"name": "a", "name": "b"}}', field="template_params")
    assert (refusal.value.field, refusal.value.path) == ("template_params", "$.template.name")
    assert not isinstance(refusal.value, UnreadableBody)


def test_a_refusal_never_repeats_what_stood_in_the_body() -> None:
    for body in (b'{"a": "secret words', b'{"a": "secret \\ud800 words"}', b'{"a": secret}'):
        with pytest.raises(UnreadableBody) as refusal:
            parse_body(body)
        assert "secret" not in f"{refusal.value} {refusal.value.path}"
