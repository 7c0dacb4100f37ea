"""The platform's tables.

Every primary key begins with the module, so that the rows of one module can travel alone. Rows are
written and claimed by raw statements (`monolift.registry.sql`); the models give them migrations and
let operators read them through the ORM.
"""

from datetime import UTC, datetime

from django.db import models


class Outbox(models.Model):
    """An event as its module announced it, written in the transaction that made it true.

    One without a key has its own id for a key. The primary key begins with what numbers a key's
    events, so that a publish keeps no index but this one and that of the waiting rows.
    """

    pk = models.CompositePrimaryKey("module", "key", "number", "event")
    module = models.TextField()
    key = models.TextField()
    number = models.BigIntegerField()
    event = models.TextField()
    name = models.TextField()
    body = models.TextField()
    trace = models.TextField(default="")
    cause = models.TextField(default="")
    relayed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "monolift_outbox"
        indexes = (
            models.Index(
                fields=["number"],
                name="monolift_outbox_waiting",
                condition=models.Q(relayed_at__isnull=True),
            ),
        )

    @property
    def published_at(self) -> datetime:
        """When, by the database's clock: what its number counts."""
        return datetime.fromtimestamp(self.number / 1e6, UTC)


class Delivery(models.Model):
    """One event for one subscriber, or one task: what a worker runs. It is also the inbox.

    `module`, `publisher`, `key` and `target` make the lane. Of a lane one delivery is active; the
    others wait, and become pending one after another, by (number, event, subscriber). `target` is
    empty for a subscriber of this database, else it names where the event is handed over to.
    """

    pk = models.CompositePrimaryKey("module", "event", "subscriber")
    module = models.TextField()
    event = models.TextField()
    subscriber = models.TextField()
    publisher = models.TextField()
    target = models.TextField(default="", db_default="")
    name = models.TextField()
    key = models.TextField(null=True)
    number = models.BigIntegerField()
    body = models.TextField()
    trace = models.TextField(default="")
    state = models.TextField()
    attempts = models.IntegerField(default=0)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    token = models.TextField(default="")
    failure = models.TextField(default="")
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "monolift_delivery"
        indexes = (
            models.Index(
                fields=["module", "due_at"],
                name="monolift_delivery_due",
                condition=models.Q(state="pending", target=""),
            ),
            models.Index(
                fields=["module", "due_at"],
                name="monolift_delivery_away",
                condition=models.Q(state="pending", target__gt=""),
            ),
            models.Index(
                fields=["module", "publisher", "key", "target", "number"],
                name="monolift_delivery_behind",
                condition=models.Q(state="waiting"),
            ),
            models.Index(
                fields=["module", "created_at"],
                name="monolift_delivery_failed",
                condition=models.Q(state="failed"),
            ),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["module", "publisher", "key", "target"],
                name="monolift_delivery_active",
                condition=models.Q(state__in=["pending", "failed"], key__isnull=False),
            ),
        )


class Key(models.Model):
    """An idempotency key and the answer given under it."""

    pk = models.CompositePrimaryKey("module", "key")
    module = models.TextField()
    key = models.TextField()
    operation = models.TextField()
    fingerprint = models.TextField()
    state = models.TextField()
    answer = models.TextField(default="")
    error = models.TextField(default="")
    lease_until = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "monolift_key"


class SagaRow(models.Model):
    """A saga: its state, where it stands, and what happened to it."""

    pk = models.CompositePrimaryKey("module", "id")
    module = models.TextField()
    id = models.TextField()
    name = models.TextField()
    version = models.IntegerField()
    key = models.TextField()
    status = models.TextField()
    state = models.TextField()
    progress = models.TextField()
    waits_for = models.TextField(null=True)
    failure = models.TextField(default="")
    trace = models.TextField(default="")
    attempts = models.IntegerField(default=0)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    token = models.TextField(default="")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "monolift_saga"
        constraints = (
            models.UniqueConstraint(fields=["module", "name", "key"], name="monolift_saga_key"),
        )
        indexes = (
            models.Index(
                fields=["due_at"],
                name="monolift_saga_due",
                condition=models.Q(status__in=["running", "undoing", "waiting"]),
            ),
            models.Index(
                fields=["module", "waits_for"],
                name="monolift_saga_waits",
                condition=models.Q(waits_for__isnull=False),
            ),
        )


class Arrival(models.Model):
    """An event that a saga awaits or will await: kept until its step takes it."""

    pk = models.CompositePrimaryKey("module", "saga", "event")
    module = models.TextField()
    saga = models.TextField()
    event = models.TextField()
    name = models.TextField()
    matches = models.TextField()
    body = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "monolift_arrival"
        indexes = (models.Index(fields=["module", "matches"], name="monolift_arrival_match"),)


class Truth(models.Model):
    """The topology in force: one row, the highest epoch."""

    epoch = models.BigIntegerField(primary_key=True)
    document = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "monolift_truth"


class Process(models.Model):
    """A process that lives, and what it knows. In its deployable's default database."""

    id = models.TextField(primary_key=True)
    """Its machine and its number there."""
    deployable = models.TextField()
    epoch = models.BigIntegerField()
    databases = models.TextField()
    """The aliases that it could open, as JSON."""
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "monolift_process"


class Fence(models.Model):
    """Whether a module may be written in this database, since which epoch. Without a row it may."""

    module = models.TextField(primary_key=True)
    epoch = models.BigIntegerField()
    open = models.BooleanField()

    class Meta:
        db_table = "monolift_fence"


class Lift(models.Model):
    """A module on its way out, or home: what has been done, and what was measured.

    In the control deployable's default database, beside the truth row. Of a module one is open.
    """

    id = models.TextField(primary_key=True)
    module = models.TextField()
    stage = models.TextField(default="")
    """The last one that is done."""
    doing = models.TextField(default="")
    """The one that was begun, with its direction; empty between two."""
    evidence = models.TextField(default="{}")
    """By stage, as JSON."""
    token = models.TextField(default="")
    lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "monolift_lift"
        constraints = (
            models.UniqueConstraint(
                fields=["module"],
                name="monolift_lift_open",
                condition=models.Q(ended_at__isnull=True),
            ),
        )
