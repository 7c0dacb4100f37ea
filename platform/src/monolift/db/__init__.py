"""The platform's tables. They exist once per database that holds a module."""
