"""What stands in the truth row, and what deployables tell each other about it."""

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from monolift.registry.modules import modules
from monolift.registry.places import Place, Rehearsal, Topology, Trial, placed, rehearsed


class Stay(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where one module is, as every deployable would say it."""

    deployable: str
    database: str
    trial: Trial | None = None


class Document(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Modules with their places, from one epoch on; a rehearsal, while there is one."""

    epoch: int
    places: Mapping[str, Stay]
    rehearsal: Rehearsal | None = None


_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(Document)


class Malformed(ValueError):
    """Not a document of this kind."""


def encode(document: Document) -> str:
    """As JSON."""
    return _encoder.encode(document).decode()


def decode(text: str | bytes) -> Document:
    """From JSON. Raises Malformed."""
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"not a topology: {error}") from None


def of(known: Topology) -> Document:
    """All places of a topology."""
    return Document(
        epoch=known.epoch,
        rehearsal=known.rehearsal,
        places={
            label: Stay(deployable=place.deployable, database=place.alias, trial=place.trial)
            for label, place in known.places.items()
        },
    )


def applied(known: Topology, document: Document) -> Topology:
    """A topology as a document changes it, seen from here.

    A module that is not installed here is left out: it is older or younger than this code. Raises
    ImproperlyConfigured for a deployable or a database that this project does not have.
    """
    installed = modules()
    changes: dict[str, Place] = {
        label: placed(deployable=stay.deployable, alias=stay.database, trial=stay.trial)
        for label, stay in document.places.items()
        if label in installed
    }
    after = known.moved(changes, epoch=document.epoch)
    return replace(after, rehearsal=document.rehearsal or rehearsed())
