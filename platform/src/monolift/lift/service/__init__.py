"""What a module needs to be a service: manifests beside the project, or a repository of its own."""

from monolift.lift.service.eject.repository import eject
from monolift.lift.service.writing import write_manifests

__all__ = ["eject", "write_manifests"]
