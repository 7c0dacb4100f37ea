from django.apps import apps

model = apps.all_models["inventory"]["stock"]
