"""The pages of accounts: sign up, in and out; reset and change the password.

Whether an address has an account shows neither in a page nor in the time it takes: signing up and
resetting send one mail in either case.
"""

from typing import Any

from django.conf import settings
from django.contrib import auth
from django.contrib.auth import views as django_views
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.tokens import default_token_generator
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import render, resolve_url
from django.urls import reverse, reverse_lazy
from django.utils.encoding import force_bytes
from django.utils.http import url_has_allowed_host_and_scheme, urlencode, urlsafe_base64_encode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from config.identity import devices, mail, signup
from config.identity.forms import ChangePasswordForm, EmailForm, NewPasswordForm, SignInForm
from config.identity.models import User
from config.identity.throttle import count_mail, count_sign_in, forgive


class SignIn(django_views.LoginView):
    """Sign in; the session gets a new key."""

    template_name = "identity/sign_in.html"
    form_class = SignInForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """`onward` is the query that keeps where to go on."""
        return super().get_context_data(**kwargs, onward=_onward(self.get_redirect_url()))

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        """A refused form is 422."""
        status = 422 if context["form"].errors else 200
        return super().render_to_response(context, status=status, **kwargs)


class SignOut(django_views.LogoutView):
    """Sign out, by POST."""

    next_page = "/"


class ChangePassword(LoginRequiredMixin, django_views.PasswordChangeView):
    """Change the password: other sessions end, and so do all tokens."""

    template_name = "identity/password_change.html"
    form_class = ChangePasswordForm
    success_url = reverse_lazy("identity:password-changed")
    title = "Change your password"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Counts as a try: who took over a session does not guess the password here either."""
        count_sign_in(request, request.user.get_username())
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        """The old password was right."""
        forgive(self.request, self.request.user.get_username())
        return super().form_valid(form)

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        """A refused form is 422."""
        status = 422 if context["form"].errors else 200
        return super().render_to_response(context, status=status, **kwargs)


class ConfirmReset(django_views.PasswordResetConfirmView):
    """Choose a new password behind a mailed link, which works once."""

    template_name = "identity/password_new.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("identity:password-changed")
    title = "Choose a new password"

    def form_valid(self, form: Any) -> HttpResponse:
        """Who reads the account's mail owns it: others' tries do not keep them out."""
        devices.remember(self.request, form.user.get_username())
        return super().form_valid(form)

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        """A refused form is 422, a used or old link 410."""
        if not context["validlink"]:
            return _used_link(self.request, reverse("identity:password-reset"))
        status = 422 if context["form"].errors else 200
        return super().render_to_response(context, status=status, **kwargs)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponseBase:
    """Ask for an address, and send it a link."""
    if request.user.is_authenticated:
        return HttpResponseRedirect(resolve_url(settings.LOGIN_REDIRECT_URL))
    form = EmailForm(_posted(request))
    to = _local(request, request.POST.get("next") or request.GET.get("next") or "")
    if not form.is_valid():
        context = {"form": form, "next": to, "onward": _onward(to)}
        return _page(request, "sign_up.html", context, status=422 if form.errors else 200)
    email = form.cleaned_data["email"]
    count_mail(request, email)
    if signup.exists(email):
        mail.account_exists(to=email, site=_site(request))
    else:
        token = signup.link_token(signup.Invitation(email=email, to=to))
        link = request.build_absolute_uri(reverse("identity:confirm", args=[token]))
        mail.confirm(to=email, link=link)
    return _see_other("identity:sent")


@require_safe
@never_cache
def sent(request: HttpRequest) -> HttpResponse:
    """Say that a mail is on its way."""
    return _page(request, "sent.html", {"folder": mail.folder()})


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponseBase:
    """Choose a password behind a mailed link; then there is a user, who is signed in."""
    try:
        invitation = signup.invitation_of(token)
    except signup.BadLink:
        return _used_link(request, reverse("identity:sign-up"))
    form = NewPasswordForm(User(email=invitation.email), _posted(request))
    if not form.is_valid():
        context = {"form": form, "email": invitation.email}
        return _page(request, "confirm.html", context, status=422 if form.errors else 200)
    try:
        user = signup.create(invitation.email, form.cleaned_data["new_password1"])
    except signup.AlreadySignedUp:
        return _see_other("identity:sign-in")
    auth.login(request, user)
    return HttpResponseRedirect(invitation.to or resolve_url(settings.LOGIN_REDIRECT_URL))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def reset_password(request: HttpRequest) -> HttpResponseBase:
    """Ask for an address, and send it a link."""
    form = EmailForm(_posted(request))
    if not form.is_valid():
        status = 422 if form.errors else 200
        return _page(request, "password_reset.html", {"form": form}, status=status)
    email = form.cleaned_data["email"]
    count_mail(request, email)
    user = User.objects.filter(email=email.lower(), is_active=True).first()
    if user is None:
        mail.no_account(to=email, site=_site(request))
    else:
        path = reverse(
            "identity:password-new",
            kwargs={
                "uidb64": urlsafe_base64_encode(force_bytes(user.pk)),
                "token": default_token_generator.make_token(user),
            },
        )
        mail.reset(to=user.email, link=request.build_absolute_uri(path))
    return _see_other("identity:sent")


@require_safe
@never_cache
def password_changed(request: HttpRequest) -> HttpResponse:
    """Say so."""
    return _page(request, "password_changed.html", {})


def _page(
    request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    return render(request, f"identity/{template}", context, status=status)


def _posted(request: HttpRequest) -> QueryDict | None:
    """What was sent; a POST with nothing in it is a form left empty, which is refused."""
    return request.POST if request.method == "POST" else None


def _used_link(request: HttpRequest, again: str) -> HttpResponse:
    return _page(request, "used_link.html", {"again": again}, status=410)


def _see_other(name: str) -> HttpResponse:
    return HttpResponse(status=303, headers={"Location": reverse(name)})


def _site(request: HttpRequest) -> str:
    return request.build_absolute_uri("/").removesuffix("/")


def _local(request: HttpRequest, to: str) -> str:
    """Where to go on, if it is a page of this site; empty otherwise."""
    hosts, secure = {request.get_host()}, request.is_secure()
    good = url_has_allowed_host_and_scheme(to, allowed_hosts=hosts, require_https=secure)
    return to if good and len(to) <= 500 else ""


def _onward(to: str) -> str:
    return f"?{urlencode({'next': to})}" if to else ""
