"""What people type to sign in and up."""

from typing import Any

from django import forms
from django.contrib.auth import forms as auth
from django.core.validators import MaxLengthValidator

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


def _bound(form: forms.Form) -> None:
    for field in form.fields.values():
        field.validators.append(MaxLengthValidator(_LONGEST_PASSWORD))
    form.fields["new_password1"].label = "New password"
    form.fields["new_password2"].label = "The new password again"
    form.fields["new_password2"].help_text = ""
