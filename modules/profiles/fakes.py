"""Profiles in memory, for the tests of modules that require it."""

import re
from collections.abc import Sequence
from uuid import UUID, uuid4

import msgspec

from modules.profiles.events import CustomerForgotten
from modules.profiles.interface import (
    AddressId,
    AddressNotFound,
    InvalidAddress,
    InvalidProfile,
    PostalAddress,
    Profile,
    Profiles,
    SavedAddress,
    TooManyAddresses,
)
from monolift.testing.announcing import announce

_LONGEST = {"name": 100, "street": 200, "city": 100, "postcode": 20, "country": 2}


class FakeProfiles(Profiles):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self._profiles: dict[UUID, Profile] = {}
        self._books: dict[UUID, dict[AddressId, PostalAddress]] = {}
        self._defaults: dict[UUID, AddressId] = {}

    def profile(self, *, user_id: UUID) -> Profile:
        return self._profiles.get(user_id, Profile(user_id=user_id))

    def save_profile(
        self, *, user_id: UUID, name: str, phone: str = "", newsletter: bool = False
    ) -> None:
        name, phone = name.strip(), phone.strip()
        if len(name) > _LONGEST["name"] or not name.isprintable():
            raise InvalidProfile(field="name", problem="it cannot be printed.")
        if phone and not re.fullmatch(r"\+?[0-9 ()./-]{3,30}", phone, re.ASCII):
            raise InvalidProfile(field="phone", problem="write it with 3 to 30 digits.")
        self._profiles[user_id] = Profile(
            user_id=user_id, name=name, phone=phone, newsletter=newsletter
        )

    def addresses(self, *, user_id: UUID) -> Sequence[SavedAddress]:
        default = self._defaults.get(user_id)
        found = [
            SavedAddress(id=key, address=one, default=key == default)
            for key, one in reversed(self._books.get(user_id, {}).items())
        ]
        return sorted(found, key=lambda one: not one.default)

    def save_address(
        self,
        *,
        user_id: UUID,
        address: PostalAddress,
        address_id: UUID | None = None,
        default: bool = False,
    ) -> AddressId:
        address = _checked(address)
        book = self._books.setdefault(user_id, {})
        same = [key for key, one in book.items() if one == address]
        if address_id is not None:
            key = AddressId(address_id)
            if key not in book:
                raise AddressNotFound(address_id=address_id)
        elif same:
            key = same[0]
        elif len(book) >= 20:
            raise TooManyAddresses(most=20)
        else:
            key = AddressId(uuid4())
        book[key] = address
        if default or user_id not in self._defaults:
            self._defaults[user_id] = key
        return key

    def remove_address(self, *, user_id: UUID, address_id: UUID) -> None:
        book = self._books.get(user_id, {})
        book.pop(AddressId(address_id), None)
        if self._defaults.get(user_id) == address_id:
            del self._defaults[user_id]
            if book:
                self._defaults[user_id] = list(book)[-1]

    def forget(self, *, user_id: UUID) -> None:
        self._profiles.pop(user_id, None)
        self._books.pop(user_id, None)
        self._defaults.pop(user_id, None)
        announce(CustomerForgotten(user_id=user_id))


def _checked(address: PostalAddress) -> PostalAddress:
    lines = {name: text.strip() for name, text in msgspec.structs.asdict(address).items()}
    for name, text in lines.items():
        if not text or len(text) > _LONGEST[name] or not text.isprintable():
            raise InvalidAddress(field=name, problem="it cannot be printed.")
    if not re.fullmatch(r"[A-Z]{2}", lines["country"], re.ASCII):
        raise InvalidAddress(field="country", problem="give its two letters, like DE.")
    return PostalAddress(**lines)
