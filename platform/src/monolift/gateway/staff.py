"""What staff do over REST: Django's permissions decide, and the back office's history tells of it.

The edge's authentication puts the user of a credential into `request.user`, as Django does for a
session, beside the `Caller` in `request.auth`.
"""

from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest

from monolift.gateway.identity import caller
from monolift.kernel import DomainError
from monolift.registry.callers import Caller


class NotAllowed(DomainError, status=403):
    """This is for staff who have the right {permission}."""

    permission: str


def clerk(request: HttpRequest, *, permission: str) -> Caller:
    """Who calls: a member of staff with that right, as the back office asks for it.

    Raises NotSignedIn, and NotAllowed for anybody else. A session without its CSRF token is nobody.
    """
    found, user = caller(request), request.user
    if user.pk != found.user_id or not user.is_staff or not user.has_perm(permission):
        raise NotAllowed(permission=permission)
    return found


def noted(request: HttpRequest, *, model: str, key: object, name: str, done: str) -> None:
    """Add a line to the history that the back office shows of a row: who did what to it.

    `model` is `app.model`, `name` what people call the row. The same words of the same user about
    the same row are there once, so that a request sent again tells nothing again.
    """
    kind = ContentType.objects.get_for_model(apps.get_model(model))
    LogEntry.objects.get_or_create(
        user_id=caller(request).user_id,
        content_type=kind,
        object_id=str(key),
        action_flag=CHANGE,
        change_message=done,
        defaults={"object_repr": name[:200]},
    )
