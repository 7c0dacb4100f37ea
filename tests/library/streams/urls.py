"""A deployable that takes events in."""

from django.urls import path

from monolift.events.streams.receive import receive

urlpatterns = [path("_monolift/events", receive)]
