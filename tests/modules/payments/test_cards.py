"""What is known of a card without asking anybody."""

from datetime import date

import pytest

from modules.payments.provider.cards import plain, problem
from modules.payments.provider.sandbox import TEST_CARDS

TODAY = date(2026, 11, 22)


def check(*, number: str = "4242424242424242", expiry: str = "12/30", cvc: str = "123") -> str:
    """What is wrong with a card that is fine but for what is given."""
    return problem(number=number, expiry=expiry, cvc=cvc, today=TODAY)


@pytest.mark.parametrize("number", [*TEST_CARDS, "5555555555554444", "378282246310005"])
def test_good_numbers_pass(number: str) -> None:
    assert check(number=number) == ""


@pytest.mark.parametrize(
    "number", ["4242424242424241", "4242424242424224", "0000000000000001", "1111111111111111"]
)
def test_a_typing_error_is_found(number: str) -> None:
    assert "typing error" in check(number=number)


@pytest.mark.parametrize(
    "number", ["", "4242", "4" * 20, "4242 4242 4242 4242", "٤" * 16, "4" * 15 + "x"]
)
def test_a_number_is_12_to_19_digits(number: str) -> None:
    assert "12 to 19 digits" in check(number=number)


def test_people_write_numbers_with_spaces_and_dashes() -> None:
    assert plain("4242 4242-4242 4242") == "4242424242424242"


@pytest.mark.parametrize(
    ("expiry", "found"),
    [
        ("11/26", ""),
        ("10/26", "expired"),
        ("12/25", "expired"),
        ("13/30", "MM/YY"),
        ("00/30", "MM/YY"),
        ("1/30", "MM/YY"),
        ("12/2030", "MM/YY"),
        ("", "MM/YY"),
    ],
)
def test_a_card_is_good_to_the_end_of_its_month(expiry: str, found: str) -> None:
    result = check(expiry=expiry)
    assert found in result
    assert bool(result) == bool(found)


@pytest.mark.parametrize("cvc", ["", "12", "12345", "12a"])
def test_a_security_code_has_3_or_4_digits(cvc: str) -> None:
    assert "3 or 4 digits" in check(cvc=cvc)
