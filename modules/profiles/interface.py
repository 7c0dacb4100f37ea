"""What profiles provides."""

from collections.abc import Sequence
from typing import NewType, Protocol
from uuid import UUID

from monolift.kernel import DomainError, Dto, Interface, command, query

AddressId = NewType("AddressId", UUID)


class InvalidProfile(DomainError, status=422):
    """The {field} cannot be used: {problem}"""

    field: str
    problem: str


class InvalidAddress(DomainError, status=422):
    """The {field} cannot be used: {problem}"""

    field: str
    problem: str


class TooManyAddresses(DomainError, status=409):
    """At most {most} addresses are kept: remove one first."""

    most: int


class AddressNotFound(DomainError, status=404):
    """There is no address {address_id}."""

    address_id: UUID


class Profile(Dto):
    """A customer. What they have not told is empty; `newsletter` is whether they want it."""

    user_id: UUID
    name: str = ""
    phone: str = ""
    newsletter: bool = False


class PostalAddress(Dto):
    """Where a parcel can go; `country` is ISO 3166-1 alpha-2."""

    name: str
    street: str
    city: str
    postcode: str
    country: str


class SavedAddress(Dto):
    """An address that a customer keeps. One is the default while there is any."""

    id: AddressId
    address: PostalAddress
    default: bool


class Profiles(Interface, Protocol, version=1):
    """Customer data and addresses, by the user's id."""

    @query(timeout=2)
    def profile(self, *, user_id: UUID) -> Profile:
        """What a customer told; an unknown user has an empty profile."""
        ...

    @command(timeout=5, raises=InvalidProfile)
    def save_profile(
        self, *, user_id: UUID, name: str, phone: str = "", newsletter: bool = False
    ) -> None:
        """Replace the profile. Saving the same twice is harmless."""
        ...

    @query(timeout=2)
    def addresses(self, *, user_id: UUID) -> Sequence[SavedAddress]:
        """The default one first, then the newest first; at most twenty."""
        ...

    @command(timeout=5, raises=(InvalidAddress, TooManyAddresses, AddressNotFound))
    def save_address(
        self,
        *,
        user_id: UUID,
        address: PostalAddress,
        address_id: UUID | None = None,
        default: bool = False,
    ) -> AddressId:
        """Keep a new address, or change the one that `address_id` names.

        A new one that is kept already is not kept twice: its id is returned. The first one is the
        default; `default=False` leaves it to whichever is. Whether we deliver there is not judged.
        AddressNotFound also for another customer's address.
        """
        ...

    @command(timeout=5)
    def remove_address(self, *, user_id: UUID, address_id: UUID) -> None:
        """Forget an address; none is harmless. The newest becomes the default in its place."""
        ...

    @command(timeout=5)
    def forget(self, *, user_id: UUID) -> None:
        """Erase all there is of a customer, and announce it. Nothing to erase is harmless."""
        ...
