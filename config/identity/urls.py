"""The addresses of the pages of accounts."""

from django.urls import path

from config.identity import token_pages, views

app_name = "identity"
urlpatterns = [
    path("sign-up", views.sign_up, name="sign-up"),
    path("sign-up/<str:token>", views.confirm, name="confirm"),
    path("sent", views.sent, name="sent"),
    path("sign-in", views.SignIn.as_view(), name="sign-in"),
    path("sign-out", views.SignOut.as_view(), name="sign-out"),
    path("tokens", token_pages.tokens_page, name="tokens"),
    path("tokens/<uuid:token_id>", token_pages.revoke, name="token"),
    path("password", views.ChangePassword.as_view(), name="password-change"),
    path("password/changed", views.password_changed, name="password-changed"),
    path("password/reset", views.reset_password, name="password-reset"),
    path("password/new/<uidb64>/<token>", views.ConfirmReset.as_view(), name="password-new"),
]
