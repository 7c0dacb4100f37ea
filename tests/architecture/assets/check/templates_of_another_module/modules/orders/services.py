from django.shortcuts import render
from django.views.generic import TemplateView


class Page(TemplateView):
    template_name = "inventory/page.html"


def page(request):
    return render(request, "inventory/page.html")
