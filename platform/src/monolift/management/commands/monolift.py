"""`manage.py monolift <verb>`."""

import argparse
import sys
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from monolift.management import console, verbs
from monolift.management.errors import VerbError


class Command(BaseCommand):
    """Every verb of the console script `monolift`, with the project loaded."""

    help = "Run a modular monolith, look into it, and lift its modules out."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Add every verb."""
        console.add_verbs(parser, verbs.names())

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the verb; a failure is an exit code and one line."""
        verb = verbs.load(options["verb"])
        try:
            code = console.carry_out(verb, argparse.Namespace(**options))
        except (VerbError, ImproperlyConfigured) as error:
            raise CommandError(str(error), returncode=1) from None
        if code:
            sys.exit(code)
