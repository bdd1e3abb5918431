"""Codes a person types."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessments import codes

some_code = st.text(codes.ALPHABET, min_size=16, max_size=16)


def test_the_alphabet_holds_nothing_that_is_confused():
    assert len(set(codes.ALPHABET)) == 32
    assert not set("01IO") & set(codes.ALPHABET)


def test_new_codes_are_drawn_from_all_of_it():
    drawn = codes.new_code(5_000)
    assert set(drawn) == set(codes.ALPHABET)
    assert codes.new_code(16) != codes.new_code(16)


@given(some_code)
def test_a_code_survives_being_shown_and_typed(code):
    assert codes.normalised(codes.grouped(code).lower(), 16) == code


@given(st.text(max_size=40))
def test_anything_typed_is_a_code_or_an_error(typed):
    try:
        code = codes.normalised(typed, 16)
    except codes.CodeError:
        return
    assert len(code) == 16
    assert set(code) <= set(codes.ALPHABET)


@given(some_code, some_code)
def test_the_hash_tells_codes_and_keys_apart(one, other):
    assert len(codes.hashed(one, "key")) == codes.HASH_BYTES
    assert codes.hashed(one, "key") != codes.hashed(one, "other key")
    assert (codes.hashed(one, "key") == codes.hashed(other, "key")) == (one == other)


@pytest.mark.parametrize("code", ["", "ABCD", "ABCD-EFGH-JKLM-NPQ", "ABCD-EFGH-JKLM-NPQ0"])
def test_what_cannot_be_a_code(code):
    with pytest.raises(codes.CodeError):
        codes.normalised(code, 16)
