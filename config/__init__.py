"""The composition root: settings, routes, processes. The only code that names every module."""
