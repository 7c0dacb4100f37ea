"""django-jaiminho relays its table, in order, to a function that does nothing."""

import sys
import time
import uuid
from typing import Any

import django
from django.conf import settings

url, count = sys.argv[1], int(sys.argv[2])
from databases import own_database  # noqa: E402 - beside this script

with own_database(url) as database:
    settings.configure(
        DATABASES={"default": database},
        INSTALLED_APPS=["jaiminho"],
        SECRET_KEY=uuid.uuid4().hex,
        USE_TZ=True,
        JAIMINHO_CONFIG={
            "PUBLISH_STRATEGY": "keep-order",
            "DEFAULT_CAPTURE_EXCEPTION": lambda error: None,
        },
    )
    django.setup()
    from django.core.management import call_command
    from django.db import transaction
    from jaiminho.models import Event
    from jaiminho.relayer import EventRelayer
    from jaiminho.send import save_to_outbox

    call_command("migrate", verbosity=0)

    @save_to_outbox
    def note(payload: dict[str, Any]) -> None:
        """Do nothing."""

    with transaction.atomic():
        for number in range(count):
            note({"note": number})
    assert Event.objects.count() == count
    began = time.perf_counter()
    EventRelayer().relay()
    seconds = time.perf_counter() - began
    assert not Event.objects.filter(sent_at__isnull=True).exists()
    print(seconds)
