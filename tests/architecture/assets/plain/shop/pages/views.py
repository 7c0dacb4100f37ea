"""Pages that need nobody."""

from django.http import HttpResponse


def imprint(request: object) -> HttpResponse:
    """The imprint."""
    return HttpResponse("A shop.")
