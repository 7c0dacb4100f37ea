from django.db import transaction
from django.shortcuts import get_object_or_404
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.response import Response

from shop.stock.models import Stock


class TakeSerializer(serializers.Serializer):
    quantity = serializers.IntegerField(min_value=1)


class StockViewSet(viewsets.ViewSet):
    lookup_field = "sku"

    @action(detail=True, methods=["post"])
    def take(self, request, sku):
        wanted = TakeSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        with transaction.atomic():
            stock = get_object_or_404(Stock.objects.select_for_update(), sku=sku)
            if stock.on_hand < wanted.validated_data["quantity"]:
                return Response({"error": "out of stock"}, status=409)
            stock.on_hand -= wanted.validated_data["quantity"]
            stock.save()
        return Response({"stock": stock.pk})
