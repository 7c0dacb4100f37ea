"""Guards over Django's loaded models and the migrations on disk; no database is opened."""

from monolift.boundaries.registry.guards import find_violations

__all__ = ["find_violations"]
