import os, django.db as base

base.connection.cursor()
