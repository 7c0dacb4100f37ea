"""The tasks of this project, as Celery runs them."""

from celery import Celery

app = Celery("mysite")
app.conf.task_always_eager = True
