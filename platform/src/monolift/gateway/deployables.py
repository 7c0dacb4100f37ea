"""What a deployable offers the others: calls, events and the topology, signed.

path("_monolift/", include("monolift.gateway.deployables"))
"""

from django.urls import path

from monolift.events.streams.receive import receive
from monolift.transport.serving import serve
from monolift.truth.exchange import exchange

urlpatterns = [
    path("calls/<str:interface>/<str:method>", serve),
    path("events", receive),
    path("topology", exchange),
]
