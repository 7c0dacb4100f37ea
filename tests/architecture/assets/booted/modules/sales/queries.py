from django.db.models import F, Prefetch, Q

from modules.sales.models import Line, Sale


def found(sku, lines):
    Line.objects.filter(article__sku=sku)
    Line.objects.filter(sale__article__sku=sku)
    Line.objects.values_list("article__shelf__name", flat=True)
    Sale.objects.select_related("article")
    Sale.objects.prefetch_related(Prefetch("line_set"), "notes")
    Sale.objects.order_by("-article__sku").exclude(Q(article__shelf__name="a"))
    lines.annotate(sku=F("first__sku"))
    return Sale.objects.filter(article_id=1, article__pk=1, article__id__in=[1], article=2)
