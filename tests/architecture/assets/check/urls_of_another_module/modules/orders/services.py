from django.shortcuts import redirect
from django.urls import reverse, reverse_lazy


def address():
    return reverse("inventory:page"), redirect("inventory:page", 1)


class View:
    success_url = reverse_lazy("inventory:page")


def named():
    return reverse(viewname="inventory:page")
