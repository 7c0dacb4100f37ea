"""A module that does next to nothing: what is measured on it is the platform."""
