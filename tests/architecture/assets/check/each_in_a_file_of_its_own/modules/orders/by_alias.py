def save(model):
    model.save(using="default")
