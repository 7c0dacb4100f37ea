from django.db import models


class Sale(models.Model):
    key = models.TextField(unique=True)
    state = models.TextField()


class Mail(models.Model):
    """A mail that a handler sent; the number tells how often."""

    about = models.TextField()
    key = models.TextField()
