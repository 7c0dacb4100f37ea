"""Identity's tables: users, tokens, and counted attempts."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib.auth.hashers import is_password_usable
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models

from monolift.kernel import clock, uuid7


class UserManager(BaseUserManager["User"]):
    """Makes users, and finds them whatever the case of the address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user who can sign in; without a password nobody can as them."""
        if not email:
            raise ValueError("A user needs an email address.")
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user who may do everything."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """The user of an email address."""
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """Signs in by email address, which they have shown to be theirs."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    joined_at = models.DateTimeField(default=clock.now, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.email

    def save(self, *args: Any, **options: Any) -> None:
        """Store it; addresses that differ in case only are one user's.

        A new password ends the user's tokens, as Django lets it end their other sessions: wherever
        it is set. So does taking the password away. A new hash of the same password, which Django
        makes by itself, does not.
        """
        self.email = self.email.lower()
        ends_tokens = not self._state.adding and (
            getattr(self, "_password", None) is not None or self._loses_password(**options)
        )
        super().save(*args, **options)
        if ends_tokens:
            self.tokens.filter(revoked_at=None).update(revoked_at=clock.now())

    def _loses_password(
        self, *, update_fields: Iterable[str] | None = None, **_options: Any
    ) -> bool:
        """Whether there is one in the database that saving takes away."""
        if self.has_usable_password() or (update_fields and "password" not in update_fields):
            return False
        stored = User.objects.filter(pk=self.pk).values_list("password", flat=True).first()
        return stored is not None and is_password_usable(stored)


class ApiToken(models.Model):
    """What a program shows instead of a password. Only a digest of it is kept."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    may_write = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return self.name


class Attempts(models.Model):
    """How often something was tried in the window that ends at `expires_at`."""

    key = models.CharField(max_length=150, primary_key=True)
    count = models.PositiveIntegerField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name_plural = "attempts"

    def __str__(self) -> str:
        return self.key
