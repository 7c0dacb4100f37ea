from django.db import models

Happened = Id = models
