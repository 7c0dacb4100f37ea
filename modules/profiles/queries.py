"""Reads of profiles."""

from uuid import UUID

from modules.profiles import models
from modules.profiles.interface import AddressId, PostalAddress, Profile, SavedAddress


def profile(*, user_id: UUID) -> Profile:
    """What a customer told; empty when nothing is known."""
    row = models.Profile.objects.filter(pk=user_id).first()
    if row is None:
        return Profile(user_id=user_id)
    return Profile(user_id=user_id, name=row.name, phone=row.phone, newsletter=row.newsletter)


def addresses(*, user_id: UUID) -> tuple[SavedAddress, ...]:
    """The default one first, then the newest first."""
    rows = models.Address.objects.filter(profile_id=user_id).order_by("-default", "-id")
    return tuple(
        SavedAddress(
            id=AddressId(row.id),
            address=PostalAddress(
                name=row.name,
                street=row.street,
                city=row.city,
                postcode=row.postcode,
                country=row.country,
            ),
            default=row.default,
        )
        for row in rows
    )
