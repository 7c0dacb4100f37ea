"""Catalog follows the house style: it says what it offers."""
