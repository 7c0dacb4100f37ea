from django.db import \
    connection
