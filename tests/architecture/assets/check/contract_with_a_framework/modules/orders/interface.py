import json
from django.db import models
