"""What people type to sign in and up."""

from typing import Any

from django import forms
from django.contrib.auth import forms as auth
from django.core.validators import MaxLengthValidator

from config.identity.models import User

_LONGEST_PASSWORD = 1000
"""Hashing takes as long as the password; more is no password."""


def _email() -> forms.EmailField:
    widget = forms.EmailInput(
        attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
    )
    return forms.EmailField(
        label="Email",
        max_length=254,
        widget=widget,
        error_messages={
            "required": "Enter your email address.",
            "invalid": "Enter an email address, like name@example.org.",
        },
    )


class SignInForm(auth.AuthenticationForm):
    """An email address and a password."""

    error_messages = {
        "invalid_login": "The email address or the password is wrong.",
        "inactive": "The email address or the password is wrong.",
    }

    def __init__(self, request: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.fields["username"] = _email()
        self.fields["password"].validators.append(MaxLengthValidator(_LONGEST_PASSWORD))
        self.fields["password"].error_messages["required"] = "Enter your password."


class EmailForm(forms.Form):
    """An email address."""

    email = _email()


class NewPasswordForm(auth.SetPasswordForm):  # type: ignore[type-arg]  # not generic at run time
    """A password, twice."""

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        _bound(self)


class ChangePasswordForm(auth.PasswordChangeForm):
    """The old password, and a new one twice."""

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        _bound(self)


class TokenForm(forms.Form):
    """A token to make, and the password of whoever makes it."""

    READ, WRITE = "read", "write"

    name = forms.CharField(
        label="What it is for",
        max_length=100,
        error_messages={"required": "Say what it is for."},
    )
    may = forms.ChoiceField(
        label="What it may do", choices=[(READ, "Only read"), (WRITE, "Read and change")]
    )
    days = forms.TypedChoiceField(
        label="How long it works",
        coerce=int,
        choices=[(30, "30 days"), (90, "90 days"), (365, "A year")],
        initial=90,
    )
    password = forms.CharField(
        label="Your password",
        strip=False,
        max_length=_LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": "Enter your password."},
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user

    def clean_name(self) -> str:
        """What can be printed."""
        name: str = self.cleaned_data["name"]
        if not name.isprintable():
            raise forms.ValidationError("It contains characters that cannot be printed.")
        return name

    def clean_password(self) -> str:
        """The right one."""
        password: str = self.cleaned_data["password"]
        if not self._user.check_password(password):
            raise forms.ValidationError("The password is wrong.")
        return password


def _bound(form: forms.Form) -> None:
    for field in form.fields.values():
        field.validators.append(MaxLengthValidator(_LONGEST_PASSWORD))
    form.fields["new_password1"].label = "New password"
    form.fields["new_password2"].label = "The new password again"
    form.fields["new_password2"].help_text = ""
