from __future__ import annotations

from bench.validation import Validation, a_message, measure


def test_what_is_measured_is_a_check_that_passes():
    assert measure().micros > 0


def test_the_message_is_not_in_normal_form_already():
    assert {component["type"] for component in a_message().components} == {"HEADER", "BODY", "BUTTON"}


def test_it_says_whether_it_is_fast_enough():
    assert str(Validation(49.9)).startswith("PASS")
    assert str(Validation(50.0)).startswith("FAIL")
