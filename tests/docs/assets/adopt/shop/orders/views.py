import json

from asgiref.sync import sync_to_async
from django.db import transaction
from django.http import JsonResponse
from django.views.decorators.csrf import csrf_exempt

from shop.orders import services


@csrf_exempt
def buy(request):
    wanted = json.loads(request.body)
    try:
        order = services.buy(wanted["sku"], wanted["quantity"])
    except services.OutOfStock:
        return JsonResponse({"error": "out of stock"}, status=409)
    return JsonResponse({"order": order.pk}, status=201)


@csrf_exempt
@transaction.non_atomic_requests
async def buy_async(request):
    wanted = json.loads(request.body)
    order = await sync_to_async(services.buy)(wanted["sku"], wanted["quantity"])
    return JsonResponse({"order": order.pk}, status=201)
