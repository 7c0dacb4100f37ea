"""What a deployable offers the others: calls, events and the topology, signed; and its metrics.

path("_monolift/", include("monolift.gateway.deployables"))
"""

from django.urls import path

from monolift.events.streams.receive import receive
from monolift.gateway.metrics import metrics
from monolift.transport.serving import serve
from monolift.truth.exchange import exchange, processes

urlpatterns = [
    path("calls/<str:interface>/<str:method>", serve),
    path("events", receive),
    path("topology", exchange),
    path("topology/processes", processes),
    path("metrics", metrics),
]
