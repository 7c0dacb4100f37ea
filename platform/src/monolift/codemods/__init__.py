"""Codemods: rewrite a Django project's source and write the migrations that go with it.

They work on any Django project: what they need is its settings, its files and its migrations, never
its database. Python is rewritten with libcst, which keeps comments and formatting.
"""
