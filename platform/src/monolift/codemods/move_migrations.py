"""The migrations of a model that moves: Django's state changes, the tables stay as they are.

Three steps, so that no state ever names a model that it does not hold:

1. the new app gets the model, on the old table;
2. every model that refers to it refers to the new one, each in a migration of its own app;
3. the old app lets go of it, and its content type gets the new app's label under the same id.

Each depends on those before it and on what its app had last; the first one also on what every app
had last whose migrations come after the old app's, since those may ask for the model where it was.
Nothing that exists depends on what is written here, so no cycle can arise.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from monolift.codemods.migration_files import History, repointed
from monolift.codemods.tree import Tree

_CONTENT_TYPE = '''
def move_content_type(apps, alias, *, old, new):
    """Give the content type its new app; the id, and all that refers to it, stays."""
    ContentType = apps.get_model("contenttypes", "ContentType")
    if not router.allow_migrate_model(alias, ContentType):
        return
    rows = ContentType.objects.using(alias)
    kept = rows.filter(app_label=old, model="{model}").first()
    if kept is None:
        return
    # It exists already when `migrate` stopped half-way, or when old and new code ran at once.
    twin = rows.filter(app_label=new, model="{model}").first()
    if twin is not None:
        merge(twin, kept, alias)
        twin.delete(using=alias)
    kept.app_label = new
    kept.save(using=alias, update_fields=["app_label"])


def merge(twin, kept, alias):
    """Let everything that names one content type name the other."""
    for relation in twin._meta.get_fields(include_hidden=True):
        if not (relation.auto_created and relation.one_to_many):
            continue
        field, model = relation.field, relation.related_model
        for row in model._base_manager.using(alias).filter(**{{field.name: twin}}):
            if model._meta.label_lower == "auth.permission":
                own = model._base_manager.using(alias).filter(
                    content_type=kept, codename=row.codename
                ).first()
                if own is not None:
                    grant(row, own, alias)
                    continue
            setattr(row, field.name, kept)
            row.save(using=alias, update_fields=[field.name])


def grant(permission, own, alias):
    """Grant a permission to everyone who has another one."""
    for relation in permission._meta.get_fields(include_hidden=True):
        if relation.auto_created and relation.many_to_many:
            name = relation.field.name
            holders = relation.related_model._base_manager.using(alias)
            for holder in holders.filter(**{{name: permission}}):
                getattr(holder, name).add(own)


def forwards(apps, schema_editor):
    move_content_type(apps, schema_editor.connection.alias, old="{old}", new="{new}")


def backwards(apps, schema_editor):
    move_content_type(apps, schema_editor.connection.alias, old="{new}", new="{old}")

'''


def write(
    tree: Tree,
    history: History,
    *,
    model: Any,
    label: str,
    target: str,
    rename_table: bool,
) -> list[tuple[str, str]]:
    """Write them into the tree; their keys in the order they run."""
    from django.apps import apps
    from django.db import migrations

    name = model.__name__
    low = name.lower()
    old = f"{label}.{low}"
    state = history.model(label, name)
    targets = {old: f"{target}.{name}"}  # Django compares `through` with its capitals
    fields = [(key, repointed(field, targets)) for key, field in state.fields.items()]
    options = {key: value for key, value in state.options.items() if value or key != "indexes"}
    options = {key: value for key, value in options.items() if value or key != "constraints"}
    options["db_table"] = model._meta.db_table
    create = migrations.CreateModel(
        name, fields=fields, options=options, bases=state.bases, managers=state.managers
    )
    referring: dict[str, list[Any]] = {}
    for app, own, key, field in _referring(history, old):
        if (app, own) != (label, low):
            shown = history.state.models[app, own].name
            change = migrations.AlterField(shown.lower(), key, repointed(field, targets))
            referring.setdefault(app, []).append(change)

    def state_only(operations: Sequence[Any]) -> Any:
        return migrations.SeparateDatabaseAndState(state_operations=list(operations))

    before = {label, *_required(fields), *history.dependents(label)} - {target}
    needed = {history.last(app) for app in before}
    first = history.add(
        tree,
        label=target,
        name=f"move_{low}_from_{label}",
        summary=f"{name} comes from {label}, with its table.",
        dependencies=sorted(key for key in needed if key),
        operations=[state_only([create, *referring.pop(target, [])])],
    )
    written = [first]
    own_changes = referring.pop(label, [])
    for app, changes in sorted(referring.items()):
        written.append(
            history.add(
                tree,
                label=app,
                name=f"{low}_is_in_{target}",
                summary=f"{name} has moved from {label} to {target}.",
                dependencies=[first],
                operations=[state_only(changes)],
            )
        )
    operations: list[Any] = [state_only([*own_changes, migrations.DeleteModel(name)])]
    functions = ""
    dependencies: list[tuple[str, str] | None] = list(written)
    if apps.is_installed("django.contrib.contenttypes"):
        functions = _CONTENT_TYPE.format(model=low, old=label, new=target)
        operations.insert(0, "        migrations.RunPython(forwards, backwards),")
        dependencies += [("contenttypes", "0002_remove_content_type_name")]
        if apps.is_installed("django.contrib.auth"):
            dependencies.append(history.last("auth"))
    written.append(
        history.add(
            tree,
            label=label,
            name=f"move_{low}_to_{target}",
            summary=f"{name} goes to {target}; its content type goes with it.",
            dependencies=dependencies,
            operations=operations,
            functions=functions,
            imports=["from django.db import migrations, router"] if functions else [],
        )
    )
    if rename_table:
        written.append(
            history.add(
                tree,
                label=target,
                name=f"rename_table_of_{low}",
                summary=f"The table of {name} gets the name of its app.",
                dependencies=[written[-1]],
                operations=[migrations.AlterModelTable(low, None)],
            )
        )
    return written


def _referring(history: History, model: str) -> Iterator[tuple[str, str, str, Any]]:
    """The fields of all models that name a model: app, model, field name, field."""
    for (app, own), state in sorted(history.state.models.items()):
        for key, field in state.fields.items():
            remote = getattr(field, "remote_field", None)
            for attribute in ("model", "through"):
                value = getattr(remote, attribute, None)
                if isinstance(value, str) and value.lower() == model:
                    yield app, own, key, field
                    break


def _required(fields: Sequence[tuple[str, Any]]) -> set[str]:
    """Labels of the apps that fields refer to."""
    found = set()
    for _, field in fields:
        remote = getattr(field, "remote_field", None)
        for attribute in ("model", "through"):
            value = getattr(remote, attribute, None)
            if isinstance(value, str) and "." in value:
                found.add(value.partition(".")[0].lower())
    return found
