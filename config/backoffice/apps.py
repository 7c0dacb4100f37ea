"""The back office instead of Django's own admin site."""

from django.apps import apps
from django.contrib.admin.apps import AdminConfig

from config.backoffice.site import TITLES


class BackOfficeConfig(AdminConfig):
    """Django's admin with a site of ours."""

    default_site = "config.backoffice.site.BackOffice"

    def ready(self) -> None:
        """Call the parts what a shop calls them, on every page."""
        for config in apps.get_app_configs():
            config.verbose_name = TITLES.get(config.label, config.verbose_name)
        super().ready()
