from django.db import connections as links

cursor = links["default"].cursor()
