"""Names that a module's own code gives to attributes."""

import ast
from collections.abc import Iterator

from monolift.boundaries.registry.graph import ModelGraph
from monolift.boundaries.registry.sources import Sources

_NAMING = frozenset(("annotate", "alias", "aggregate", "Prefetch", "extra"))


def own_names(graph: ModelGraph, sources: Sources, label: str) -> frozenset[str]:
    """Fields, methods, attributes and annotations that code of a module defines."""
    known = sources.named.get(label)
    if known is None:
        found = {
            field.name
            for model in graph.of_module.get(label, ())
            for field in (*model._meta.fields, *model._meta.many_to_many)
        }
        found |= {
            relation.get_accessor_name() or ""
            for model in graph.of_module.get(label, ())
            for relation in model._meta.related_objects
            if graph.label_of(relation.related_model) in {"", label}
        }
        for file in sources.files:
            if file.module == label and (tree := sources.tree(graph.project.root / file.path)):
                found |= set(_defined(tree))
        known = sources.named[label] = frozenset(found)
    return known


def _defined(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(body=body):
                for statement in body:
                    match statement:
                        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                            yield name
                        case ast.Assign(targets=targets):
                            yield from (one.id for one in targets if isinstance(one, ast.Name))
                        case ast.AnnAssign(target=ast.Name(id=name)):
                            yield name
                        case _:
                            continue
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), keywords=keywords):
                for word in keywords:
                    if name in _NAMING and word.arg:
                        yield word.arg
                    if word.arg == "to_attr" and isinstance(word.value, ast.Constant):
                        yield str(word.value.value)
            case _:
                continue
