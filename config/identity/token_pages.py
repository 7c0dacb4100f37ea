"""The page of somebody's API tokens: make one, see it once, end one."""

from datetime import timedelta
from typing import cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from config.identity import tokens
from config.identity.forms import TokenForm
from config.identity.models import User
from config.identity.throttle import count_sign_in, forgive
from monolift.kernel import clock


@sensitive_post_parameters()
@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def tokens_page(request: HttpRequest) -> HttpResponse:
    """The tokens that work; with POST, make one, whose secret this answer alone shows.

    It asks for the password, and counts that as a try: who took over a session gets no more of it.
    """
    user = cast(User, request.user)
    if request.method != "POST":
        return _page(request, user, TokenForm(user))
    count_sign_in(request, user.email)
    form = TokenForm(user, request.POST)
    if not form.is_valid():
        return _page(request, user, form, status=422)
    forgive(request, user.email)
    try:
        token, secret = tokens.make(
            user=user,
            name=form.cleaned_data["name"],
            lifetime=timedelta(days=form.cleaned_data["days"]),
            may_write=form.cleaned_data["may"] == TokenForm.WRITE,
        )
    except tokens.TooManyTokens:
        form.add_error(None, f"You have {tokens.MOST} tokens, and nobody may have more. End one.")
        return _page(request, user, form, status=409)
    return _page(request, user, TokenForm(user), status=201, made=token.name, secret=secret)


@never_cache
@login_required
@require_POST
def revoke(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """End a token at once; one that has ended, or was never theirs, is harmless."""
    tokens.revoke(user_id=cast(User, request.user).pk, token_id=token_id)
    return HttpResponse(status=303, headers={"Location": reverse("identity:tokens")})


def _page(
    request: HttpRequest,
    user: User,
    form: TokenForm,
    *,
    status: int = 200,
    made: str = "",
    secret: str = "",
) -> HttpResponse:
    context = {
        "form": form,
        "tokens": tokens.live(user_id=user.pk, now=clock.now()),
        "made": made,
        "secret": secret,
    }
    return render(request, "identity/tokens.html", context, status=status)
