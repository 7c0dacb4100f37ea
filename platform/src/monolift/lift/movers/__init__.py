"""Movers: how a module's rows go from one database to another, for each kind of database."""
