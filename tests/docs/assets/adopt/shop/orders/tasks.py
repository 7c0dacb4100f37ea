from mysite.celery import app


@app.task
def buy_later(sku, quantity):
    from shop.orders.services import buy

    buy(sku, quantity)
