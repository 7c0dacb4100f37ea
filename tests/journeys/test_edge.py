"""What surrounds the API: health, documentation, pictures, admin, headers, settings."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth import authenticate
from django.test import Client

from config import health
from config.identity.models import User

pytestmark = pytest.mark.django_db(databases="__all__")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def unknown_health(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what earlier checks found."""
    monkeypatch.setattr(health, "_migrated", set())


@pytest.mark.usefixtures("unknown_health")
def test_a_migrated_shop_is_healthy(client: Client) -> None:
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json()["status"] == "ok"
    assert set(response.json()["databases"]) == set(settings.DATABASES)


@pytest.mark.parametrize(
    ("database", "answer"),
    [
        ({}, "503 not migrated"),
        ({"MONOLIFT_POSTGRES": "postgresql://nobody@127.0.0.1:1/none"}, "503 no answer"),
    ],
)
def test_without_its_database_it_is_not(
    database: dict[str, str], answer: str, tmp_path: Path
) -> None:
    code = (
        "import django; django.setup()\n"
        "from django.test import Client\n"
        "response = Client().get('/healthz')\n"
        "print(response.status_code, response.json()['databases']['default'])\n"
    )
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "MONOLIFT_DATA": str(tmp_path),
        **database,
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == answer, done.stderr


def test_the_documentation_loads_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/api/v1/docs").content.decode()
    assert "swagger" in page
    assert "http://" not in page
    assert "https://" not in page


def test_the_openapi_document_names_every_endpoint(client: Client) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.")
    assert {
        "/api/v1/catalog/products",
        "/api/v1/catalog/products/{slug}",
        "/api/v1/pricing/prices",
        "/api/v1/pricing/quotes",
        "/api/v1/inventory/availability",
        "/api/v1/payments/tokens",
        "/api/v1/baskets/{basket_id}",
        "/api/v1/baskets/{basket_id}/order",
        "/api/v1/orders/{order_id}",
    } <= set(document["paths"])


def test_pictures_are_served(client: Client) -> None:
    response = client.get("/static/products/stoneware-mug.svg")
    assert response.status_code == 200
    assert response["Content-Type"] == "image/svg+xml"
    response.close()


def test_pages_carry_the_headers_that_protect_them(client: Client) -> None:
    response = client.get("/admin/login/")
    assert response.status_code == 200
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"


def test_the_api_sets_no_cookie(client: Client) -> None:
    assert not client.get("/api/v1/catalog/products").cookies


def test_a_user_signs_in_by_email_in_any_case() -> None:
    user = User.objects.create_user("Ada@Example.org", "correct horse")
    assert authenticate(username="ada@example.ORG", password="correct horse") == user
    assert authenticate(username="ada@example.org", password="wrong") is None


@pytest.mark.parametrize(
    "page",
    ["catalog/product", "inventory/stock", "payments/entry", "orders/order", "identity/user"],
)
def test_the_admin_shows_what_there_is(client: Client, page: str) -> None:
    client.force_login(User.objects.create_superuser("root@example.org", "x"))
    assert client.get(f"/admin/{page}/").status_code == 200


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"MONOLIFT_ENV": "production", "ALLOWED_HOSTS": "shop.example"}, "SECRET_KEY"),
        ({"MONOLIFT_ENV": "production", "SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"MONOLIFT_ENV": "production", "SECRET_KEY": "x" * 40}, "ALLOWED_HOSTS"),
        ({"MONOLIFT_ENV": "staging"}, "MONOLIFT_ENV is 'staging'"),
        ({"MONOLIFT_POSTGRES": "mysql://x/y"}, "MONOLIFT_POSTGRES"),
        ({"MONOLIFT_DATABASES": "many"}, "MONOLIFT_DATABASES"),
    ],
)
def test_wrong_settings_are_refused_with_the_way_out(
    changes: dict[str, str], message: str, tmp_path: Path
) -> None:
    environment = {"PATH": os.environ["PATH"], "MONOLIFT_DATA": str(tmp_path), **changes}
    command = [sys.executable, "manage.py", "check"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert message in done.stderr.strip().splitlines()[-1]


def test_production_settings_pass_djangos_deployment_checks(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "MONOLIFT_DATA": str(tmp_path),
        "MONOLIFT_ENV": "production",
        "SECRET_KEY": "0123456789abcdef" * 4,
        "ALLOWED_HOSTS": "shop.example",
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "ERROR"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
