"""Django's admin site of a deployable: the pages of a module elsewhere say where it is.

A module's tables are where the module is, so its pages are: in its own deployable, which is the
same image and has the same admin.
"""

from functools import update_wrapper
from typing import Any, NamedTuple

from django.apps import apps
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from monolift.registry.modules import modules
from monolift.registry.topology import topology, urls


class Elsewhere(NamedTuple):
    """A module whose pages are not here."""

    label: str
    title: str
    deployable: str
    url: str
    """Where its pages are; empty when it is found by a registry."""


class BackOfficeSite(AdminSite):
    """An admin site whose index names the modules that are elsewhere."""

    index_template = "monolift/backoffice_index.html"

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """A page of the site, or what is said instead of one whose module is elsewhere."""

        def here(request: HttpRequest, *args: Any, **options: Any) -> Any:
            found = self._elsewhere(self._label(request))
            if found is None:
                return view(request, *args, **options)
            if not request.user.has_module_perms(found.label):
                raise PermissionDenied
            return self._off(request, found)

        return super().admin_view(update_wrapper(here, view), cacheable)

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """What is here, and where the rest is."""
        labels = {model._meta.app_label for model in self._registry}
        may_see = (label for label in sorted(labels) if request.user.has_module_perms(label))
        away = [found for label in may_see if (found := self._elsewhere(label)) is not None]
        return super().index(request, {"elsewhere": away, **(extra_context or {})})

    def _label(self, request: HttpRequest) -> str:
        """The first part of a page's path: the label of the app whose page it is."""
        root: str = reverse(f"{self.name}:index")
        return request.path.removeprefix(root).partition("/")[0]

    def _elsewhere(self, label: str) -> Elsewhere | None:
        known = topology()
        if label not in modules() or known.hosts(label):
            return None
        deployable = known.place(label).deployable
        url = urls().get(deployable, "").rstrip("/")
        there = f"{url}{reverse(f'{self.name}:index')}{label}/" if url.startswith("http") else ""
        return Elsewhere(label, str(apps.get_app_config(label).verbose_name), deployable, there)

    def _off(self, request: HttpRequest, found: Elsewhere) -> HttpResponse:
        context = {
            **self.each_context(request),
            "title": f"{found.title}: not here",
            "elsewhere": [found],
        }
        return TemplateResponse(request, "monolift/backoffice_elsewhere.html", context, status=404)
