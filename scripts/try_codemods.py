# ruff: noqa: T201 - it reports on standard output
"""Try the codemods on django-oscar, with rows: `try_codemods.py [FOLDER]`.

Installs django-oscar from PyPI, and monolift from this repository, into a temporary environment;
copies its apps into a project of their own, so that they are the project's; fills tables; moves and
loosens models; migrates forward, backward and forward again, and compares every row. Uses
PostgreSQL when DATABASE_URL names a server, else SQLite. Exits with 1 when anything differs. Needs
uv and a package index.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[1]
OSCAR = "django-oscar==4.2.1"

SETTINGS = """
from oscar.defaults import *
SECRET_KEY = "trial"
DEBUG = True
USE_TZ = True
ROOT_URLCONF = "site_urls"
SITE_ID = 1
STATIC_URL = "/static/"
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
INSTALLED_APPS = [
    "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
    "django.contrib.sessions", "django.contrib.messages", "django.contrib.staticfiles",
    "django.contrib.sites", "django.contrib.flatpages",
    "oscar.config.Shop", "oscar.apps.analytics.apps.AnalyticsConfig",
    "oscar.apps.checkout.apps.CheckoutConfig", "oscar.apps.address.apps.AddressConfig",
    "oscar.apps.shipping.apps.ShippingConfig", "oscar.apps.catalogue.apps.CatalogueConfig",
    "oscar.apps.catalogue.reviews.apps.CatalogueReviewsConfig",
    "oscar.apps.communication.apps.CommunicationConfig",
    "oscar.apps.partner.apps.PartnerConfig", "oscar.apps.basket.apps.BasketConfig",
    "oscar.apps.payment.apps.PaymentConfig", "oscar.apps.offer.apps.OfferConfig",
    "oscar.apps.order.apps.OrderConfig", "oscar.apps.customer.apps.CustomerConfig",
    "oscar.apps.search.apps.SearchConfig", "oscar.apps.voucher.apps.VoucherConfig",
    "oscar.apps.wishlists.apps.WishlistsConfig", "oscar.apps.dashboard.apps.DashboardConfig",
    "oscar.apps.dashboard.reports.apps.ReportsDashboardConfig",
    "oscar.apps.dashboard.users.apps.UsersDashboardConfig",
    "oscar.apps.dashboard.orders.apps.OrdersDashboardConfig",
    "oscar.apps.dashboard.catalogue.apps.CatalogueDashboardConfig",
    "oscar.apps.dashboard.offers.apps.OffersDashboardConfig",
    "oscar.apps.dashboard.partners.apps.PartnersDashboardConfig",
    "oscar.apps.dashboard.pages.apps.PagesDashboardConfig",
    "oscar.apps.dashboard.ranges.apps.RangesDashboardConfig",
    "oscar.apps.dashboard.reviews.apps.ReviewsDashboardConfig",
    "oscar.apps.dashboard.vouchers.apps.VouchersDashboardConfig",
    "oscar.apps.dashboard.communications.apps.CommunicationsDashboardConfig",
    "oscar.apps.dashboard.shipping.apps.ShippingDashboardConfig",
    "widget_tweaks", "haystack", "treebeard", "sorl.thumbnail", "django_tables2",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "oscar.apps.basket.middleware.BasketMiddleware",
]
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
    "OPTIONS": {"context_processors": [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]},
}]
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}
DATABASES = {"default": DATABASE}
SILENCED_SYSTEM_CHECKS = ["models.W042"]
"""

URLS = """
from django.apps import apps
from django.contrib import admin
from django.urls import include, path
urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include(apps.get_app_config("oscar").urls[0])),
]
"""

FILL = """
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from oscar.core.compat import get_user_model
from oscar.core.loading import get_model
get = get_model
kind = get("catalogue", "ProductClass").objects.create(name="Book")
books = [get("catalogue", "Product").objects.create(product_class=kind, title=str(n))
         for n in range(3)]
partner = get("partner", "Partner").objects.create(name="Maker")
ann = get_user_model().objects.create_user("ann", "ann@example.org", "x")
partner.users.add(ann)
for n, book in enumerate(books):
    get("partner", "StockRecord").objects.create(
        product=book, partner=partner, partner_sku=str(n), price=n, num_in_stock=n)
    get("catalogue", "ProductRecommendation").objects.create(
        primary=books[0], recommendation=book, ranking=n)
wishes = get("wishlists", "WishList").objects.create(owner=ann)
for book in books:
    get("wishlists", "Line").objects.create(wishlist=wishes, product=book, title="x")
for code in ("wishlists.wishlist", "wishlists.line", "partner.partner"):
    label, name = code.split(".")
    ct = ContentType.objects.get(app_label=label, model=name)
    ann.user_permissions.add(*Permission.objects.filter(content_type=ct))
answer = None
"""

BY_HAND = [
    ("voucher/admin.py", '"order"', '"order_id"'),
    ("voucher/abstract_models.py", "order=order", "order_id=order.pk"),
    ("dashboard/vouchers/views.py", "-order__date_placed", "-date_created"),
]

ROWS = """
from django.db import connection
answer = {}
with connection.cursor() as cursor:
    for table in sorted(connection.introspection.table_names(cursor)):
        if table in ("django_migrations", "sqlite_sequence"):
            continue
        cursor.execute(f"SELECT * FROM {table} ORDER BY 1")
        names = [column[0] for column in cursor.description]
        answer[table] = [dict(zip(names, map(str, row))) for row in cursor.fetchall()]
"""


class Trial:
    """A project made of oscar's apps."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = folder / "site"
        self.python = folder / "venv" / "bin" / "python"
        self.env = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("DJANGO_", "MONOLIFT_", "PYTHON", "VIRTUAL_ENV"))
        } | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore"}

    def run(self, *command: str | Path) -> str:
        """Run a command in the project; ends the trial when it fails."""
        done = subprocess.run(
            command, cwd=self.site, env=self.env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def install(self) -> None:
        """Make the environment and the project."""
        self.site.mkdir()
        uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
        self.run(uv, "venv", "--quiet", "--python", sys.executable, self.folder / "venv")
        library = f"monolift[codemods,postgresql] @ {(ROOT / 'platform').as_uri()}"
        # Copied, because the trial writes into what is installed, and uv links it from its cache.
        # uv keeps wheels of folders by their pyproject.toml; the code below it may be newer.
        fresh = (
            "--link-mode",
            "copy",
            "--refresh-package",
            "monolift",
            "--reinstall-package",
            "monolift",
        )
        install = (uv, "pip", "install", "--quiet", "--python", self.python, *fresh)
        self.run(*install, OSCAR, "sorl-thumbnail", library)
        (packages,) = (self.folder / "venv" / "lib").glob("python*/site-packages")
        shutil.move(packages / "oscar", self.site / "oscar")
        (self.site / "site_settings.py").write_text(
            SETTINGS.replace("DATABASE}", f"{self.database()!r}}}")
        )
        (self.site / "site_urls.py").write_text(URLS)
        (self.site / "manage.py").write_text(
            "import os, sys\n"
            "from django.core.management import execute_from_command_line\n"
            'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_settings")\n'
            "execute_from_command_line(sys.argv)\n"
        )
        (self.site / ".gitignore").write_text("*.sqlite3\n__pycache__\n")
        self.run("git", "init", "--quiet")
        # What Django itself wants to change in oscar's models is no work of the codemods.
        self.manage("makemigrations")
        self.commit("As it is")

    def database(self) -> dict[str, Any]:
        """The database, in Django's words."""
        url = urlsplit(os.environ.get("DATABASE_URL", ""))
        if not url.scheme.startswith("postgres"):
            name = str(self.site / "db.sqlite3")
            return {"ENGINE": "django.db.backends.sqlite3", "NAME": name}
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": url.path[1:],
            "USER": url.username,
            "HOST": url.hostname,
            "PORT": url.port,
        }

    def commit(self, message: str) -> None:
        """Commit everything."""
        self.run("git", "add", "--all")
        who = ("-c", "user.name=trial", "-c", "user.email=trial@example.org")
        self.run("git", *who, "commit", "--quiet", "--allow-empty", "--message", message)

    def manage(self, *arguments: str) -> str:
        """Run manage.py."""
        return self.run(self.python, "manage.py", *arguments)

    def ask(self, script: str) -> Any:
        """Run a script with the project loaded, and read the JSON in `answer`."""
        return json.loads(
            self.run(
                self.python,
                "-c",
                "import json, os\nos.environ['DJANGO_SETTINGS_MODULE'] = 'site_settings'\n"
                f"import django\ndjango.setup()\n{script}\nprint(json.dumps(answer))",
            )
        )

    def applied(self) -> dict[str, str]:
        """The newest migration of each app that is applied."""
        return dict(
            self.ask(
                "from django.db.migrations.recorder import MigrationRecorder\n"
                "rows = MigrationRecorder.Migration.objects.order_by('id')\n"
                "answer = list(rows.values_list('app', 'name'))"
            )
        )

    def codemod(self, *arguments: str) -> None:
        """Run a codemod, and its migrations forward, backward and forward again."""
        print(f"\nmonolift {' '.join(arguments)}")
        before, places = self.ask(ROWS), self.applied()
        report = self.run(self.python, "-m", "monolift.management", *arguments)
        changed, _, rest = report.partition("\n")
        print(f"  {changed.partition(':')[0]}.")
        listed = rest.partition("Look at these yourself:\n")[2].partition("\n\n")[0]
        notes = listed.strip().splitlines()
        print(f"  Listed for a person: {len(notes)} places.")
        for line in notes[:8]:
            print(f"    {line.strip()[:150]}")
        self.manage("migrate")
        forward = self.ask(ROWS)
        first = re.search(r"^Migrations?(?:, in this order)?: (\w+)\.", report, re.MULTILINE)
        label = first[1] if first else sys.exit(f"No migration is named:\n{report}")
        self.manage("migrate", label, places[label])
        back = self.ask(ROWS)
        self.manage("migrate")
        again = self.ask(ROWS)
        print(f"  Backward: {same(before, back)}. Forward again: {same(forward, again)}.")
        if before != back or forward != again:
            sys.exit("The rows differ.")
        kinds = self.differences(before, forward)
        print(f"  Forward: {kinds or 'every row as before'}.")
        self.commit(" ".join(arguments))

    @staticmethod
    def differences(before: dict[str, Any], after: dict[str, Any]) -> str:
        """The tables whose rows are others."""
        return ", ".join(
            f"{table}: {sum(row not in after[table] for row in rows)} of {len(rows)} rows"
            for table, rows in before.items()
            if after.get(table) != rows
        )


def same(one: object, other: object) -> str:
    """Whether two are equal, in words."""
    return "every row as before" if one == other else "ROWS DIFFER"


def main(folder: Path) -> None:
    """The whole trial."""
    trial = Trial(folder)
    trial.install()
    trial.manage("migrate")
    trial.ask(FILL)
    rows = sum(len(rows) for rows in trial.ask(ROWS).values())
    engine = trial.database()["ENGINE"].rpartition(".")[2]
    print(f"{OSCAR} on {engine}: {rows} rows.")
    trial.codemod("move-model", "wishlists.WishList", "--to", "customer")
    trial.codemod("move-model", "partner.StockRecord", "--to", "catalogue")
    trial.codemod("move-model", "catalogue.ProductRecommendation", "--to", "offer")
    trial.codemod("loosen", "voucher.VoucherApplication.order")
    # What the second step lists, done by hand: Django's checks see the admin.
    for path, old, new in BY_HAND:
        file = trial.site / "oscar" / "apps" / path
        file.write_text(file.read_text().replace(old, new))
    trial.commit("By hand")
    trial.codemod("loosen", "voucher.VoucherApplication.order")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
