"""3-D Secure: a card whose bank wants its customer to agree first."""

from uuid import UUID, uuid4

import pytest

from modules.payments.interface import (
    CardDeclined,
    Challenge,
    ChallengeNotFound,
    ChallengeState,
    InvalidAmount,
    Payments,
    PaymentState,
)
from modules.payments.provider.sandbox import SandboxProvider
from monolift import Money, use
from monolift.testing.statements import statements
from tests.shop import GOOD, card, charges

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.topologies("local", "loopback", fake=Payments),
]
payments = use(Payments)
CHALLENGED = "4000000000003220"
TEN = Money(1000, "EUR")


def challenged(token: str, amount: Money = TEN, *, reference: UUID | None = None) -> Challenge:
    """A challenge for a card that needs one."""
    asked = payments.challenge(card_token=token, amount=amount, reference=reference or uuid4())
    assert asked is not None
    return asked


def passed(token: str, amount: Money = TEN) -> None:
    """Let the customer agree."""
    payments.answer_challenge(challenge_id=challenged(token, amount).id, passed=True)


def declined(token: str, amount: Money = TEN) -> bool:
    """Whether an authorisation is declined for want of authentication."""
    try:
        payments.authorise(reference=uuid4(), amount=amount, card_token=token)
    except CardDeclined as error:
        return error.reason == "authentication was not completed"
    return False


def test_most_cards_need_no_authentication() -> None:
    for token in (card(GOOD), "tok_none"):
        assert payments.challenge(card_token=token, amount=TEN, reference=uuid4()) is None


def test_a_challenge_says_what_is_asked_and_where() -> None:
    reference = uuid4()
    with statements() as seen:
        asked = challenged(card(CHALLENGED), reference=reference)
    assert seen == []
    assert asked.url == f"/sandbox/bank/{asked.id}"
    assert (asked.reference, asked.amount, asked.state) == (reference, TEN, ChallengeState.OPEN)
    assert payments.challenge_details(challenge_id=asked.id) == asked


def test_without_authentication_the_card_is_declined_and_nothing_is_set_aside() -> None:
    token = card(CHALLENGED)
    assert declined(token)
    asked = challenged(token)
    assert declined(token)
    payments.answer_challenge(challenge_id=asked.id, passed=False)
    assert declined(token)
    assert charges() == []


@pytest.mark.inside
def test_whoever_passed_can_pay() -> None:
    token, reference = card(CHALLENGED), uuid4()
    asked = challenged(token)
    payments.answer_challenge(challenge_id=asked.id, passed=True)
    assert payments.challenge_state(challenge_id=asked.id) is ChallengeState.PASSED
    for _ in range(2):
        payment = payments.authorise(reference=reference, amount=TEN, card_token=token)
        assert payment.state is PaymentState.AUTHORISED
    assert charges() == [("authorised", 1000)]


def test_one_authentication_is_good_for_one_payment() -> None:
    token = card(CHALLENGED)
    passed(token)
    assert not declined(token)
    assert declined(token)
    passed(token)
    assert not declined(token)


@pytest.mark.parametrize(
    ("amount", "refused"),
    [
        (Money(1000, "EUR"), False),
        (Money(999, "EUR"), False),
        (Money(1001, "EUR"), True),
        (Money(1000, "USD"), True),
    ],
)
def test_the_customer_agreed_to_so_much_and_no_more(amount: Money, refused: bool) -> None:
    token = card(CHALLENGED)
    passed(token, TEN)
    assert declined(token, amount) is refused


def test_another_card_of_the_same_number_needs_its_own_authentication() -> None:
    passed(card(CHALLENGED))
    assert declined(card(CHALLENGED))


@pytest.mark.parametrize("answer", [True, False])
def test_the_first_answer_counts(answer: bool) -> None:
    asked = challenged(card(CHALLENGED))
    for one in (answer, not answer):
        payments.answer_challenge(challenge_id=asked.id, passed=one)
    expected = ChallengeState.PASSED if answer else ChallengeState.FAILED
    assert payments.challenge_state(challenge_id=asked.id) is expected


def test_asking_again_gives_the_same_challenge_until_it_is_spent() -> None:
    token, reference = card(CHALLENGED), uuid4()
    first = challenged(token, reference=reference)
    assert challenged(token, reference=reference) == first
    assert challenged(token, Money(1001, "EUR"), reference=reference).id != first.id
    assert challenged(token).id != first.id
    payments.answer_challenge(challenge_id=first.id, passed=False)
    second = challenged(token, reference=reference)
    assert (second.state, second.id == first.id) == (ChallengeState.OPEN, False)
    payments.answer_challenge(challenge_id=second.id, passed=True)
    assert challenged(token, reference=reference).state is ChallengeState.PASSED
    payments.authorise(reference=uuid4(), amount=TEN, card_token=token)
    assert challenged(token, reference=reference).id != second.id


@pytest.mark.topologies("local", "loopback")
def test_a_challenge_survives_a_restart() -> None:
    asked = challenged(card(CHALLENGED))
    assert SandboxProvider().challenged(challenge=asked.id) == asked


def test_what_was_never_asked_cannot_be_answered() -> None:
    with pytest.raises(ChallengeNotFound):
        payments.answer_challenge(challenge_id=uuid4(), passed=True)
    with pytest.raises(ChallengeNotFound):
        payments.challenge_state(challenge_id=uuid4())


def test_a_negative_amount_is_refused() -> None:
    with pytest.raises(InvalidAmount):
        payments.challenge(card_token=card(), amount=Money(-1, "EUR"), reference=uuid4())
