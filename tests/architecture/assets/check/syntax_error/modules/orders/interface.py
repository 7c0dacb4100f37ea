class Orders(
