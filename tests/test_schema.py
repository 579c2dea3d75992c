from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gateway.registry.schema import Schema, SchemaInvalid


@pytest.mark.parametrize(
    ("schema", "value", "place", "text"),
    [
        ({"type": ["string", "null"]}, 5, (), "expected null or a text"),
        ({"enum": ["a", "b"]}, "c", (), 'expected one of "a", "b"'),
        ({"enum": ["a"]}, "c", (), 'expected "a"'),
        ({"enum": ["a", "A"], "description": "the letter a"}, "c", (), "expected the letter a"),
        ({"minLength": 1}, "", (), "expected at least 1 character"),
        ({"maxLength": 2}, "abc", (), "expected at most 2 characters"),
        ({"minItems": 1}, [], (), "expected at least 1 item, got 0"),
        ({"maxItems": 0}, [1], (), "expected no items, got 1"),
        ({"minItems": 2, "maxItems": 3, "title": "card"}, [1], (), "expected at least 2 cards, got 1"),
        ({"properties": {"a": False}}, {"a": 1}, ("a",), "expected nothing here"),
        ({"required": ["a"]}, {}, ("a",), "is missing"),
        (
            {"required": ["a"], "properties": {"a": {"description": "an age"}}},
            {},
            ("a",),
            "is missing; expected an age",
        ),
        ({"required": ["a"], "properties": {"a": {"const": 1}}}, {}, ("a",), "is missing; expected 1"),
        ({"required": ["a"], "properties": {"a": {"enum": [1, 2]}}}, {}, ("a",), "is missing; expected one of 1, 2"),
        ({"required": ["a"], "properties": {"a": {"type": "object"}}}, {}, ("a",), "is missing; expected an object"),
        ({"required": ["a"], "properties": {"a": True}}, {}, ("a",), "is missing"),
        (
            {
                "required": ["a"],
                "properties": {"a": {"$ref": "#/$defs/age"}},
                "$defs": {"age": {"description": "an age"}},
            },
            {},
            ("a",),
            "is missing; expected an age",
        ),
        (
            {
                "required": ["a"],
                "properties": {"a": {"$ref": "#age"}},
                "$defs": {"age": {"$anchor": "age", "title": "Age"}},
            },
            {},
            ("a",),
            "is missing",
        ),
        ({"pattern": "^a"}, "b", (), "expected a value that fits `pattern` of the schema"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 1, (), "expected a value that fits `anyOf` of the schema"),
        ({"items": {"minimum": 3, "description": "at least 3"}}, [3, 2], (1,), "expected at least 3"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"not": {"const": 1}, "description": "not 1"}}}, 1, (), "expected not 1"),
    ],
)
def test_an_error_is_a_place_and_a_sentence(schema, value, place, text):
    found = Schema(schema).problem(value)
    assert (found.place, found.text) == (place, text)


def test_a_wrong_kind_is_told_before_what_follows_from_it():
    schema = Schema(
        {"properties": {"kind": {"const": "a"}, "a": True}, "required": ["a"], "additionalProperties": False}
    )
    assert schema.problem({"kind": "b", "b": 1}).place == ("kind",)


def test_all_problems_come_in_the_order_of_their_places():
    schema = Schema({"items": {"required": ["b"], "properties": {"a": {"type": "string"}}}})
    assert [p.place for p in schema.problems([{"a": 1}, {}, *[{"b": 1}] * 9, {"a": 1}])] == [
        (0, "a"),
        (0, "b"),
        (1, "b"),
        (11, "a"),
        (11, "b"),
    ]


@pytest.fixture
def schema_server():
    """A server that has any schema one may ask for, and the paths it was asked for."""
    asked = []

    class Any(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Any) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def test_nothing_is_fetched_for_a_reference(schema_server):
    root, asked = schema_server
    with pytest.raises(SchemaInvalid):
        Schema({"$ref": f"{root}/a.json"})
    assert asked == []


def test_no_file_is_read_for_a_reference(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(SchemaInvalid):
        Schema({"$ref": (tmp_path / "a.json").as_uri()})


def test_a_pattern_that_ruins_other_engines_takes_no_time():
    schema = Schema({"pattern": "^(a+)+$"})
    started = time.perf_counter()
    assert not schema.fits("a" * 10_000 + "!")
    assert time.perf_counter() - started < 1
