"""django-outbox-pattern hands its table over to a broker that takes all and does nothing."""

import sys
import time
from typing import Any

import django
from django.conf import settings

url, count = sys.argv[1], int(sys.argv[2])
from databases import own_database  # noqa: E402 - beside this script

with own_database(url) as database:
    settings.configure(
        DATABASES={"default": database},
        INSTALLED_APPS=["django_outbox_pattern"],
        USE_TZ=True,
        DJANGO_OUTBOX_PATTERN={"DEFAULT_PRODUCER_WAITING_TIME": 0},
    )
    django.setup()
    from django.core.management import call_command
    from django_outbox_pattern.models import Published
    from django_outbox_pattern.producers import Producer

    call_command("migrate", verbosity=0)

    class Broker:
        """Stands for a STOMP broker; it only counts."""

        sent = 0

        def send(self, **_: Any) -> None:
            self.sent += 1

        def is_connected(self) -> bool:
            return True

        def __getattr__(self, name: str) -> Any:
            return lambda *_, **__: None

    broker = Broker()
    producer = Producer(broker, "", "")
    Published.objects.bulk_create(
        Published(destination="notes", body={"note": number}, headers={"dop-msg-id": str(number)})
        for number in range(count)
    )
    began = time.perf_counter()
    while broker.sent < count:
        producer.publish_message_from_database()
    print(time.perf_counter() - began)
