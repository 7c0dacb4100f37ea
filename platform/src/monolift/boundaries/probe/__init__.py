"""How the apps of any Django project are coupled, and which of them could be lifted out first.

`monolift probe` is the command. The project needs nothing of monolift but the package in its
environment: its settings are imported, its models and files are read, nothing is connected to.
"""
