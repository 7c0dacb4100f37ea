"""The Celery application, for where Celery runs the deliveries: see `MONOLIFT["EXECUTOR"]`."""

import os

from celery import Celery

from monolift.events.celery import connect

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("shop")
app.config_from_object("django.conf:settings", namespace="CELERY")
connect(app)
