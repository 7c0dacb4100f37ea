def save(model):
    model.objects.db_manager('default').create()
