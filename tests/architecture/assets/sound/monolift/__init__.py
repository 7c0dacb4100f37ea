"""Stands for the library, so that no plant depends on its state."""
