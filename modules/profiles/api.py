"""Profiles over REST: everybody's own."""

from typing import Annotated
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from modules.profiles.interface import PostalAddress, Profile, Profiles, SavedAddress
from monolift import use
from monolift.gateway.identity import caller

router = Router(tags=["profile"])
profiles = use(Profiles)


class ProfileIn(Schema):
    """What a customer tells."""

    name: Annotated[str, Field(max_length=100)]
    phone: Annotated[str, Field(max_length=30)] = ""
    newsletter: bool = False


class ProfileOut(Schema):
    """What a customer told."""

    name: str
    phone: str
    newsletter: bool


class AddressIn(Schema):
    """An address; `country` is ISO 3166-1 alpha-2."""

    name: Annotated[str, Field(max_length=100)]
    street: Annotated[str, Field(max_length=200)]
    city: Annotated[str, Field(max_length=100)]
    postcode: Annotated[str, Field(max_length=20)]
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    default: bool = False

    def address(self) -> PostalAddress:
        """The address alone."""
        return PostalAddress(
            name=self.name,
            street=self.street,
            city=self.city,
            postcode=self.postcode,
            country=self.country,
        )


class AddressOut(Schema):
    """A kept address."""

    id: UUID
    name: str
    street: str
    city: str
    postcode: str
    country: str
    default: bool

    @classmethod
    def of(cls, saved: SavedAddress) -> "AddressOut":
        """The address with what is known of it."""
        address = saved.address
        return cls(
            id=saved.id,
            name=address.name,
            street=address.street,
            city=address.city,
            postcode=address.postcode,
            country=address.country,
            default=saved.default,
        )


class IdOut(Schema):
    """The id of what was made."""

    id: UUID


@router.get("", response=ProfileOut)
def profile(request: HttpRequest) -> Profile:
    """Your profile; empty until you save one."""
    return profiles.profile(user_id=caller(request).user_id)


@router.put("", response={204: None})
def save_profile(request: HttpRequest, body: ProfileIn) -> Status[None]:
    """Replace your profile."""
    profiles.save_profile(
        user_id=caller(request).user_id,
        name=body.name,
        phone=body.phone,
        newsletter=body.newsletter,
    )
    return Status(204, None)


@router.delete("", response={204: None})
def forget(request: HttpRequest) -> Status[None]:
    """Erase your profile and your addresses. You can still sign in."""
    profiles.forget(user_id=caller(request).user_id)
    return Status(204, None)


@router.get("/addresses", response=list[AddressOut])
def addresses(request: HttpRequest) -> list[AddressOut]:
    """Your addresses, the default one first, then the newest first."""
    found = profiles.addresses(user_id=caller(request).user_id)
    return [AddressOut.of(saved) for saved in found]


@router.post("/addresses", response={201: IdOut})
def add_address(request: HttpRequest, body: AddressIn) -> Status[dict[str, UUID]]:
    """Keep an address. One that is kept already is not kept twice."""
    made = profiles.save_address(
        user_id=caller(request).user_id, address=body.address(), default=body.default
    )
    return Status(201, {"id": made})


@router.put("/addresses/{address_id}", response={204: None})
def change_address(request: HttpRequest, address_id: UUID, body: AddressIn) -> Status[None]:
    """Change an address, and make it the default if you say so."""
    profiles.save_address(
        user_id=caller(request).user_id,
        address=body.address(),
        address_id=address_id,
        default=body.default,
    )
    return Status(204, None)


@router.delete("/addresses/{address_id}", response={204: None})
def remove_address(request: HttpRequest, address_id: UUID) -> Status[None]:
    """Remove an address; none is harmless."""
    profiles.remove_address(user_id=caller(request).user_id, address_id=address_id)
    return Status(204, None)
