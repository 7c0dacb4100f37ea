"""Provides nothing."""
