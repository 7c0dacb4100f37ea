def later(app):
    app.send_task("modules.inventory.tasks.recount")
    app.signature("inventory.recount")
