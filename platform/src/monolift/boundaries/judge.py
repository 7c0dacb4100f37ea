"""From what files name to violations: which references cross a boundary, and what to do instead."""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from monolift.boundaries import static_rules
from monolift.boundaries.default_database import WAYS_OUT
from monolift.boundaries.files import SourceFile
from monolift.boundaries.permitted import (
    CONTRACTS,
    INTERFACE,
    REQUIRES,
    permitted,
    permitted_inside,
)
from monolift.boundaries.places import Place
from monolift.boundaries.project import StaticModule
from monolift.boundaries.reach import Reach
from monolift.boundaries.references import FIELDS, Reference
from monolift.boundaries.relations import instead_of_a_relation
from monolift.boundaries.violations import Violation
from monolift.boundaries.vocabulary import FRAMEWORKS, Vocabulary


class Edge(msgspec.Struct, frozen=True, order=True):
    """One module uses another's contract: calls its interface, or hears its event."""

    source: str
    target: str
    kind: str
    """`call` or `subscription`."""
    name: str
    """The interface or event; `*` for a whole file."""
    path: str
    line: int


class Judge:
    """Judges the references of one file after the other."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._words = vocabulary
        self._project = vocabulary.project
        self._imported: list[str] = []
        """What the file imports."""
        self._judges: Mapping[str, Callable[[SourceFile, Reference], Violation | None]] = {
            "import": self._import,
            "chain": self._chain,
            "default-database": self._default_database,
            "model-by-name": self._model_by_name,
            "dynamic-import": self._code_by_name,
            "dotted": self._code_by_name,
            "task-name": self._task_name,
            "signal-sender": self._signal_sender,
            "url-name": self._url_name,
            "template": self._template,
            "setting": self._setting,
            "cache-key": self._cache_key,
            "sql-text": self._sql_text,
            "generic-foreign-key": self._generic,
            **dict.fromkeys(FIELDS.values(), self._relation),
        }

    def violations(self, file: SourceFile, references: list[Reference]) -> Iterator[Violation]:
        """The references that cross a boundary where they may not."""
        seen: set[tuple[str, str, str]] = set()
        self._imported = [one.value for one in references if one.kind == "import"]
        for reference in references:
            found = self._judges[reference.kind](file, reference)
            if found is not None and found.identity not in seen:
                seen.add(found.identity)
                yield found

    def edges(self, file: SourceFile, references: list[Reference]) -> Iterator[Edge]:
        """The contracts of other modules that a file uses as it may."""
        for reference in references:
            if reference.kind != "import":
                continue
            place = self._place(reference.value)
            if place is None or place[0].label == file.module:
                continue
            target, imported = place
            if imported.part in CONTRACTS and permitted(part=file.part, imported=imported.part):
                name = imported.name.removeprefix(f"{imported.module}.{imported.part}").lstrip(".")
                kind = "call" if imported.part == INTERFACE else "subscription"
                yield Edge(file.module, target.label, kind, name or "*", file.path, reference.line)

    # --- one kind of reference each -------------------------------------------------------------

    def _import(self, file: SourceFile, reference: Reference) -> Violation | None:
        found = self._place(reference.value)
        if found is None or found[0].label == file.module:
            return self._impure(file, reference, found and found[1])
        _, imported = found
        if permitted(part=file.part, imported=imported.part):
            return None
        importer = Place(file.name, file.package, file.part)
        reach = Reach(importer, imported, reference.line)
        message, way_out = reach.told()
        return self._violation(
            file, reference, static_rules.PRIVATE_IMPORT, imported.name, message, way_out
        )

    def _chain(self, file: SourceFile, reference: Reference) -> Violation | None:
        """Attributes of a package lead to all of its parts that somebody has imported."""
        name = reference.value
        if self._part_at(name) is None or any(
            f"{name}.".startswith(f"{one}.") and self._project.module_at(one)
            for one in self._imported
        ):
            return None  # no part of a module, or one that an import is judged by
        return self._import(file, reference)

    def _impure(
        self, file: SourceFile, reference: Reference, own: Place | None
    ) -> Violation | None:
        if file.part not in CONTRACTS or not self._module(file).house:
            return None
        if own is not None and not permitted_inside(part=file.part, imported=own.part):
            why = "a contract leaves the rest of its module at home."
        elif own is None and reference.value.partition(".")[0] in FRAMEWORKS:
            why = "a contract is plain Python."
        else:
            return None
        return self._violation(
            file,
            reference,
            static_rules.IMPURE_CONTRACT,
            reference.value,
            f"{file.name} imports {reference.value}: {why}",
            "Declare what the interface and the events carry with dataclasses, `Dto`, `Money`, "
            "UUID, str and numbers; leave models and frameworks to services.py.",
        )

    def _default_database(self, file: SourceFile, reference: Reference) -> Violation:
        return self._violation(
            file,
            reference,
            static_rules.DEFAULT_DATABASE,
            reference.value,
            f"{reference.value} means the default database, which is not always the module's.",
            WAYS_OUT[reference.field],
        )

    def _relation(self, file: SourceFile, reference: Reference) -> Violation | None:
        found = self._model(reference.value)
        if found is None or found[0].label == file.module or file.part == "migrations":
            return None
        target, model = found
        source = f"{reference.source}.{reference.field}".rstrip(".")
        return self._violation(
            file,
            msgspec.structs.replace(reference, source=source),
            reference.kind,
            model,
            f"{source.removeprefix(f'{file.package}.')} is a relation to {model}, a table of "
            f"{target.label}.",
            instead_of_a_relation(reference=reference, file=file, target=target),
        )

    def _generic(self, file: SourceFile, reference: Reference) -> Violation:
        source = f"{reference.source}.{reference.field}"
        return self._violation(
            file,
            msgspec.structs.replace(reference, source=source),
            "generic-foreign-key",
            "*",
            f"{source.removeprefix(f'{file.package}.')} is a generic relation, which may point "
            "into any module's tables.",
            "Keep a plain kind and id (`subject_kind`, `subject_id`), and ask the module that "
            "owns the subject through its interface.",
        )

    def _model_by_name(self, file: SourceFile, reference: Reference) -> Violation | None:
        label = reference.value.partition(".")[0]
        target = self._words.module_of_label(label)
        if not target or target == file.module or file.part == "migrations":
            return None
        got = f"the model {reference.value}, a table of {target}"
        if reference.value.endswith(".*"):
            got = f"models of {target} by the name of its app"
        return self._violation(
            file,
            reference,
            static_rules.MODEL_BY_NAME,
            reference.value,
            f"{_short(reference, file)} gets {got}.",
            self._ask(file, target),
        )

    def _code_by_name(self, file: SourceFile, reference: Reference) -> Violation | None:
        found = self._code(file, reference.value, named=reference.kind == "dynamic-import")
        if found is None:
            return None
        return self._violation(
            file,
            reference,
            static_rules.DYNAMIC_IMPORT,
            reference.value,
            f"{_short(reference, file)} names code of {found.label} as a string: "
            f"{reference.value!r}.",
            self._ask(file, found.label),
        )

    def _task_name(self, file: SourceFile, reference: Reference) -> Violation | None:
        found = self._code(file, reference.value) or self._by_first_word(file, reference.value)
        if found is None:
            return None
        return self._violation(
            file,
            reference,
            static_rules.TASK_NAME,
            reference.value,
            f"{_short(reference, file)} enqueues {reference.value!r}, a task of {found.label}.",
            f"Call a command of {found.label}'s interface, which enqueues its own task; or publish "
            f"an event that {found.label} handles.",
        )

    def _signal_sender(self, file: SourceFile, reference: Reference) -> Violation | None:
        found = self._model(reference.value)
        if found is None or found[0].label == file.module:
            return None
        target, model = found
        return self._violation(
            file,
            reference,
            static_rules.SIGNAL_SENDER,
            model,
            f"{_short(reference, file)} listens to signals of {model}, a model of {target.label}.",
            f"Let {target.label} publish an event in its events.py where it writes {model}, and "
            "handle it in handlers.py.",
        )

    def _url_name(self, file: SourceFile, reference: Reference) -> Violation | None:
        target = self._words.module_of_url(reference.value)
        if not target or target == file.module or self._is_bff(file):
            return None
        return self._violation(
            file,
            reference,
            static_rules.URL_NAME,
            reference.value,
            f"{_short(reference, file)} builds the URL {reference.value!r}, which belongs to "
            f"{target}.",
            f"Take the address from a setting or from {target}'s answer; pages that put modules "
            "together belong to a module named under `bff`.",
        )

    def _template(self, file: SourceFile, reference: Reference) -> Violation | None:
        target = self._words.templates.get(reference.value, "")
        if not target or target == file.module or self._is_bff(file):
            return None
        return self._violation(
            file,
            reference,
            static_rules.TEMPLATE,
            reference.value,
            f"{_short(reference, file)} uses the template {reference.value!r} of {target}.",
            "Copy what you need into a template of your own, or put it where all modules share "
            "(a folder of templates that belongs to no module).",
        )

    def _setting(self, file: SourceFile, reference: Reference) -> Violation | None:
        target = self._words.module_of_setting(reference.value)
        if not target or target == file.module:
            return None
        return self._violation(
            file,
            reference,
            static_rules.FOREIGN_SETTING,
            reference.value,
            f"{_short(reference, file)} reads the setting {reference.value} of {target}.",
            f"Give {file.module} a setting of its own, or ask {target} through its interface.",
        )

    def _cache_key(self, file: SourceFile, reference: Reference) -> Violation | None:
        head, mark = _key_prefix(reference.value)
        target = self._words.module_of_label(head) if mark else ""
        if not target or target == file.module:
            return None
        return self._violation(
            file,
            reference,
            static_rules.CACHE_KEY,
            f"{head}{mark}",
            f"{_short(reference, file)} uses a cache key that begins with {head + mark!r}, "
            f"the name of {target}.",
            f"Begin your keys with {file.module}{mark}, and let {target} keep its own cache.",
        )

    def _sql_text(self, file: SourceFile, reference: Reference) -> Violation | None:
        target = self._words.module_of_table(reference.value)
        if not target or target == file.module or file.part == "migrations":
            return None
        return self._violation(
            file,
            reference,
            static_rules.SQL_TEXT,
            reference.value,
            f"{_short(reference, file)} holds SQL on {reference.value}, a table of {target}.",
            self._ask(file, target),
        )

    # --- resolving ------------------------------------------------------------------------------

    def _module(self, file: SourceFile) -> StaticModule:
        return self._project.by_label[file.module]

    def _is_bff(self, file: SourceFile) -> bool:
        return file.module in self._project.bff

    def _place(self, name: str) -> tuple[StaticModule, Place] | None:
        target = self._project.module_at(name)
        if target is None:
            return None
        package = self._project.package_at(name)
        part = name.removeprefix(package).lstrip(".").partition(".")[0]
        return target, Place(name, package, part)

    def _model(self, name: str) -> tuple[StaticModule, str] | None:
        """The module and `label.Model` of `label.Model`, or of a class's dotted name."""
        if found := self._project.module_at(name):
            label = self._project.package_at(name).rpartition(".")[2]
            known = label if label in found.app_labels else found.app_labels[0]
            return found, f"{known}.{name.rpartition('.')[2]}"
        label, _, model = name.rpartition(".")
        module = self._project.by_label.get(label)
        return (module, name) if module and model else None

    def _code(self, file: SourceFile, name: str, *, named: bool = True) -> StaticModule | None:
        """The foreign module whose code a string names; its file must be there.

        The package alone is enough where code is `named` for sure, as in `import_module()`.
        """
        found = self._project.module_at(name)
        if found is None or found.label == file.module:
            return None
        part = self._part_at(name)
        return found if part or (named and part == "") else None

    def _part_at(self, name: str) -> str | None:
        """The part of a module that a dotted name lies in; empty for the module, None for none."""
        found = self._place(name)
        if found is None:
            return None
        module, place = found
        folder = module.folders[module.packages.index(place.module)]
        there = not place.part or (folder / f"{place.part}.py").is_file()
        return place.part if there or (folder / place.part).is_dir() else None

    def _by_first_word(self, file: SourceFile, name: str) -> StaticModule | None:
        label = self._words.module_of_label(name.partition(".")[0])
        return self._project.by_label[label] if label and label != file.module else None

    def _ask(self, file: SourceFile, target: str) -> str:
        module = self._project.by_label[target]
        contract = f"{module.packages[0]}.{INTERFACE}"
        folder = file.package.replace(".", "/")
        return f"Import {contract} in {folder}/{REQUIRES}.py, and ask that."

    def _violation(
        self,
        file: SourceFile,
        reference: Reference,
        rule: str,
        target: str,
        message: str,
        way_out: str,
    ) -> Violation:
        return Violation(
            module=file.module,
            owner=self._module(file).owner,
            rule=rule,
            source=reference.source,
            target=target,
            path=file.path,
            line=reference.line,
            message=message,
            way_out=way_out,
        )


def _short(reference: Reference, file: SourceFile) -> str:
    return reference.source.removeprefix(f"{file.package}.")


def _key_prefix(key: str) -> tuple[str, str]:
    """A key's beginning up to the first mark that ends a prefix, and that mark."""
    for index, character in enumerate(key):
        if character in ":./-|":
            return key[:index], character
        if not (character.isalnum() or character == "_"):
            break
    return "", ""
