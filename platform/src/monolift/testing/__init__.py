"""Testing modules: transports by marker, scenarios in the test's own thread, statement counts.

Importing this package loads nothing, because pytest loads the plugin before Django's settings.
"""
