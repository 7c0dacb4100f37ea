"""Guards for the boundaries between modules."""
