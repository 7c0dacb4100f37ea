"""What a deployable offers the others: calls and events, signed.

path("_monolift/", include("monolift.gateway.deployables"))
"""

from django.urls import path

from monolift.events.streams.receive import receive
from monolift.transport.serving import serve

urlpatterns = [
    path("calls/<str:interface>/<str:method>", serve),
    path("events", receive),
]
