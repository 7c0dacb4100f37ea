"""A card network: its effects leave the process."""
