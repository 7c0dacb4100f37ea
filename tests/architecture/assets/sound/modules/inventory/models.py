from django.db import models

Row = models.Model
