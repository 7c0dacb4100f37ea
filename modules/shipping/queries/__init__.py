"""Reads of shipping."""
