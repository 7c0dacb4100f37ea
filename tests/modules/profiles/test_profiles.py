"""Customer data and addresses."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from django.db import connections

from modules.profiles import models
from modules.profiles.events import CustomerForgotten
from modules.profiles.interface import (
    AddressNotFound,
    InvalidAddress,
    InvalidProfile,
    PostalAddress,
    Profile,
    Profiles,
    TooManyAddresses,
)
from monolift import atomic, use, uuid7
from monolift.db.models import Outbox
from monolift.registry.topology import topology

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.topologies("local", fake=Profiles),
]
profiles = use(Profiles)

HOME = PostalAddress(
    name="Ada Lovelace",
    street="12 St James's Square",
    city="London",
    postcode="SW1Y 4JH",
    country="GB",
)
NAUGHTY = ["\x00", "a\nb", "\u2028", "\x7f"]


def address(**changes: str) -> PostalAddress:
    fields = {name: getattr(HOME, name) for name in HOME.__struct_fields__}
    return PostalAddress(**{**fields, **changes})


@pytest.fixture
def user() -> UUID:
    """Somebody nobody knows yet."""
    return uuid7()


def streets(user: UUID) -> list[str]:
    """The kept addresses in their order, the default one marked."""
    found = profiles.addresses(user_id=user)
    return [f"{'*' if one.default else ''}{one.address.street}" for one in found]


# Profiles -----------------------------------------------------------------------------------------


def test_an_unknown_user_has_an_empty_profile(user: UUID) -> None:
    assert profiles.profile(user_id=user) == Profile(user_id=user)
    assert not profiles.addresses(user_id=user)


@pytest.mark.topologies("local", "loopback", fake=Profiles)
def test_a_profile_is_what_was_saved_last(user: UUID) -> None:
    profiles.save_profile(user_id=user, name=" Ada ", phone="+49 30 901820", newsletter=True)
    assert profiles.profile(user_id=user) == Profile(
        user_id=user, name="Ada", phone="+49 30 901820", newsletter=True
    )
    profiles.save_profile(user_id=user, name="Ada Lovelace")
    assert profiles.profile(user_id=user) == Profile(user_id=user, name="Ada Lovelace")


@pytest.mark.parametrize("name", [*NAUGHTY, "x" * 101])
def test_a_name_that_cannot_be_printed_is_refused(user: UUID, name: str) -> None:
    with pytest.raises(InvalidProfile) as refused:
        profiles.save_profile(user_id=user, name=f"A{name}b")
    assert refused.value.field == "name"


@pytest.mark.parametrize("phone", ["call me", "12", "+" * 5, "1" * 31, "٣٤٥٦", "12\n34"])
def test_a_phone_number_has_digits(user: UUID, phone: str) -> None:
    with pytest.raises(InvalidProfile) as refused:
        profiles.save_profile(user_id=user, name="", phone=phone)
    assert refused.value.field == "phone"


# Addresses ----------------------------------------------------------------------------------------


def test_the_first_address_is_the_default_and_others_follow_newest_first(user: UUID) -> None:
    for street in ("first", "second", "third"):
        profiles.save_address(user_id=user, address=address(street=street))
    assert streets(user) == ["*first", "third", "second"]


def test_another_can_become_the_default(user: UUID) -> None:
    first = profiles.save_address(user_id=user, address=address(street="first"))
    profiles.save_address(user_id=user, address=address(street="second"), default=True)
    assert streets(user) == ["*second", "first"]
    profiles.save_address(
        user_id=user, address=address(street="first"), address_id=first, default=True
    )
    assert streets(user) == ["*first", "second"]


def test_the_same_address_is_kept_once(user: UUID) -> None:
    first = profiles.save_address(user_id=user, address=HOME)
    again = profiles.save_address(user_id=user, address=address(street=f" {HOME.street} "))
    assert again == first
    assert len(profiles.addresses(user_id=user)) == 1


def test_an_address_can_be_changed_by_its_owner_only(user: UUID) -> None:
    kept = profiles.save_address(user_id=user, address=HOME)
    moved = address(street="1 Other Street")
    profiles.save_address(user_id=user, address=moved, address_id=kept)
    assert [one.address for one in profiles.addresses(user_id=user)] == [moved]
    with pytest.raises(AddressNotFound):
        profiles.save_address(user_id=uuid7(), address=HOME, address_id=kept)
    profiles.remove_address(user_id=uuid7(), address_id=kept)
    assert [one.id for one in profiles.addresses(user_id=user)] == [kept]


def test_removing_the_default_makes_the_newest_the_default(user: UUID) -> None:
    first = profiles.save_address(user_id=user, address=address(street="first"))
    for street in ("second", "third"):
        profiles.save_address(user_id=user, address=address(street=street))
    profiles.remove_address(user_id=user, address_id=first)
    profiles.remove_address(user_id=user, address_id=first)
    assert streets(user) == ["*third", "second"]


def test_twenty_addresses_are_enough(user: UUID) -> None:
    for number in range(20):
        profiles.save_address(user_id=user, address=address(street=f"{number}"))
    with pytest.raises(TooManyAddresses):
        profiles.save_address(user_id=user, address=address(street="one more"))
    profiles.save_address(user_id=user, address=address(street="7"))
    assert len(profiles.addresses(user_id=user)) == 20


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((name, "") for name in HOME.__struct_fields__),
        *((name, "  ") for name in HOME.__struct_fields__),
        *(("street", f"1{naughty}2") for naughty in NAUGHTY),
        ("name", "x" * 101),
        ("street", "x" * 201),
        ("postcode", "x" * 21),
        ("country", "gb"),
        ("country", "GBR"),
        ("country", "ÄÖ"),
    ],
)
def test_an_address_that_cannot_be_used_names_its_line(user: UUID, field: str, value: str) -> None:
    with pytest.raises(InvalidAddress) as refused:
        profiles.save_address(user_id=user, address=address(**{field: value}))
    assert refused.value.field == field
    assert not profiles.addresses(user_id=user)


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_addresses_kept_at_once_have_one_default(user: UUID) -> None:
    def keep(number: int) -> None:
        try:
            profiles.save_address(user_id=user, address=address(street=f"{number}"), default=True)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(keep, range(8)))
    kept = profiles.addresses(user_id=user)
    assert len(kept) == 8
    assert [one.default for one in kept] == [True] + [False] * 7


# Erasure ------------------------------------------------------------------------------------------


@pytest.mark.topologies("local", "loopback")
def test_what_is_forgotten_is_gone_and_announced(user: UUID) -> None:
    other = uuid7()
    for one in (user, other):
        profiles.save_profile(user_id=one, name="Ada")
        profiles.save_address(user_id=one, address=HOME)
    told = Outbox.objects.using(topology().alias("profiles")).filter(
        name=CustomerForgotten.event_name
    )
    assert not told.exists()
    profiles.forget(user_id=user)
    assert profiles.profile(user_id=user) == Profile(user_id=user)
    assert not profiles.addresses(user_id=user)
    assert [row.profile_id for row in models.Address.objects.all()] == [other]
    assert [row.key for row in told.all()] == [str(user)]
    profiles.forget(user_id=user)


@pytest.mark.topologies("local", "loopback")
def test_the_database_holds_one_default(user: UUID) -> None:
    from django.db import IntegrityError

    profiles.save_address(user_id=user, address=HOME)
    fields: dict[str, Any] = {name: getattr(HOME, name) for name in HOME.__struct_fields__}
    with pytest.raises(IntegrityError), atomic(module="profiles"):
        models.Address.objects.create(profile_id=user, default=True, **fields)
