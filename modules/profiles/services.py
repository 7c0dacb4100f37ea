"""Writes of profiles, and the interface they answer."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from modules.profiles import models, queries
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
from monolift import DomainError, atomic, publish

MOST = 20
"""How many addresses a customer may keep."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
# E.164 numbers as people write them; only digits carry meaning.
_PHONE = re.compile(r"\+?[0-9 ()./-]{3,30}", re.ASCII)
_LONGEST = {"name": 100, "street": 200, "city": 100, "postcode": 20, "country": 2}


class ProfilesService(Profiles):
    """Answers `Profiles` from this module's tables."""

    def profile(self, *, user_id: UUID) -> Profile:
        """See `Profiles.profile`."""
        return queries.profile(user_id=user_id)

    def save_profile(
        self, *, user_id: UUID, name: str, phone: str = "", newsletter: bool = False
    ) -> None:
        """See `Profiles.save_profile`."""
        name, phone = name.strip(), phone.strip()
        _text("name", name, _LONGEST["name"], InvalidProfile, needed=False)
        if phone and not _PHONE.fullmatch(phone):
            raise InvalidProfile(
                field="phone", problem="write it with 3 to 30 digits, like +49 30 901820."
            )
        row = models.Profile(user_id=user_id, name=name, phone=phone, newsletter=newsletter)
        with atomic():
            models.Profile.objects.bulk_create(
                [row],
                update_conflicts=True,
                unique_fields=["user_id"],
                update_fields=["name", "phone", "newsletter"],
            )

    def addresses(self, *, user_id: UUID) -> Sequence[SavedAddress]:
        """See `Profiles.addresses`."""
        return queries.addresses(user_id=user_id)

    def save_address(
        self,
        *,
        user_id: UUID,
        address: PostalAddress,
        address_id: UUID | None = None,
        default: bool = False,
    ) -> AddressId:
        """See `Profiles.save_address`."""
        fields = _checked(address)
        with atomic():
            # The profile's row is the lock, so it is made when there is none.
            models.Profile.objects.bulk_create(
                [models.Profile(user_id=user_id)], ignore_conflicts=True
            )
            book = _locked(user_id)
            if address_id is None:
                row = book.find(fields) or book.add(fields)
            else:
                row = book.change(address_id, fields)
            if default or book.default is None:
                book.make_default(row)
        return AddressId(row.id)

    def remove_address(self, *, user_id: UUID, address_id: UUID) -> None:
        """See `Profiles.remove_address`."""
        with atomic():
            book = _locked(user_id)
            book.remove(address_id)
            if book.default is None and book.rows:
                book.make_default(book.rows[-1])

    def forget(self, *, user_id: UUID) -> None:
        """See `Profiles.forget`."""
        with atomic():
            _locked(user_id)
            models.Address.objects.filter(profile_id=user_id).delete()
            models.Profile.objects.filter(pk=user_id).delete()
            publish(CustomerForgotten(user_id=user_id))


@dataclass
class _Book:
    """A customer's addresses, the oldest first; locked until the commit."""

    user_id: UUID
    rows: list[models.Address]

    @property
    def default(self) -> models.Address | None:
        return next((row for row in self.rows if row.default), None)

    def find(self, fields: Mapping[str, str]) -> models.Address | None:
        return next((row for row in self.rows if _fields(row) == fields), None)

    def add(self, fields: Mapping[str, str]) -> models.Address:
        if len(self.rows) >= MOST:
            raise TooManyAddresses(most=MOST)
        row = models.Address.objects.create(profile_id=self.user_id, **fields)
        self.rows.append(row)
        return row

    def change(self, address_id: UUID, fields: Mapping[str, str]) -> models.Address:
        for row in self.rows:
            if row.id == address_id:
                models.Address.objects.filter(pk=row.pk).update(**fields)
                return row
        raise AddressNotFound(address_id=address_id)

    def make_default(self, row: models.Address) -> None:
        others = models.Address.objects.filter(profile_id=self.user_id, default=True)
        others.exclude(pk=row.pk).update(default=False)
        models.Address.objects.filter(pk=row.pk).update(default=True)

    def remove(self, address_id: UUID) -> None:
        models.Address.objects.filter(profile_id=self.user_id, pk=address_id).delete()
        self.rows = [row for row in self.rows if row.id != address_id]


def _locked(user_id: UUID) -> _Book:
    """The customer's addresses, which nobody else changes until the commit."""
    models.Profile.objects.select_for_update().filter(pk=user_id).first()
    rows = models.Address.objects.filter(profile_id=user_id).order_by("id")
    return _Book(user_id=user_id, rows=list(rows))


def _fields(row: models.Address) -> dict[str, str]:
    return {name: getattr(row, name) for name in _LONGEST}


def _checked(address: PostalAddress) -> dict[str, str]:
    """The address without the space around its lines. Raises InvalidAddress."""
    fields: dict[str, str] = {
        name: value.strip() for name, value in msgspec.structs.asdict(address).items()
    }
    for name, longest in _LONGEST.items():
        _text(name, fields[name], longest, InvalidAddress)
    if not _COUNTRY.fullmatch(fields["country"]):
        raise InvalidAddress(field="country", problem="give its two letters, like DE.")
    return fields


def _text(
    field: str,
    value: str,
    longest: int,
    error: Callable[..., DomainError],
    *,
    needed: bool = True,
) -> None:
    if needed and not value:
        raise error(field=field, problem="it is missing.")
    if len(value) > longest:
        raise error(field=field, problem=f"it has more than {longest} characters.")
    if _CONTROL.search(value):
        raise error(field=field, problem="it contains characters that cannot be printed.")
