from monolift import atomic, task
from tests.library.world.sales.models import Mail


@task
def remind(*, key: str) -> None:
    with atomic():
        Mail.objects.create(about="reminder", key=key)
