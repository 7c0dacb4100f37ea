# ruff: noqa: N802 - libcst names the methods of a transformer after its nodes
"""What changes in a class that moves: targets of relations, Meta, annotations."""

from collections.abc import Mapping, Sequence

import libcst as cst

from monolift.codemods.extraction_request import Request
from monolift.codemods.names import (
    changed,
    dotted,
    is_relation,
    is_target,
    keyword,
    literal,
    quoted,
    statement,
)


class Quoter(cst.CSTTransformer):
    """Puts annotations into quotes, so that they are not evaluated."""

    def __init__(self, wanted: set[cst.CSTNode]) -> None:
        super().__init__()
        self._wanted = wanted

    def leave_Annotation(
        self, original_node: cst.Annotation, updated_node: cst.Annotation
    ) -> cst.Annotation:
        if original_node not in self._wanted or isinstance(
            original_node.annotation, cst.SimpleString
        ):
            return updated_node
        code = cst.Module(body=()).code_for_node(updated_node.annotation)
        return updated_node.with_changes(annotation=quoted(code.replace('"', "'")))


class Moved(Quoter):
    """The changes inside what moves: targets by full name, Meta, quoted annotations."""

    def __init__(
        self,
        request: Request,
        model: cst.ClassDef,
        annotations: set[cst.CSTNode],
    ) -> None:
        super().__init__(annotations)
        self._request = request
        self._model = model

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        if not is_relation(original_node):
            return updated_node
        args = list(updated_node.args)
        for index, arg in enumerate(original_node.args):
            if not is_target(index, arg):
                continue
            text = literal(arg.value)
            if text is not None:
                unqualified = "." not in text and text not in {"self", ""}
                if unqualified and text.lower() != self._request.name.lower():
                    like = cst.ensure_type(arg.value, cst.SimpleString)
                    value = quoted(f"{self._request.label}.{text}", like)
                    args[index] = args[index].with_changes(value=value)
            elif dotted(arg.value) != self._request.name:
                label = self._request.models.get(dotted(arg.value))
                if label:
                    args[index] = args[index].with_changes(value=quoted(label))
        return updated_node.with_changes(args=args)

    def leave_ClassDef(
        self, original_node: cst.ClassDef, updated_node: cst.ClassDef
    ) -> cst.ClassDef:
        if original_node is not self._model:
            return updated_node
        block = updated_node.body
        if not isinstance(block, cst.IndentedBlock):
            block = cst.IndentedBlock(body=[cst.SimpleStatementLine(body=[cst.Pass()])])
        body = list(block.body)
        for index, line in enumerate(body):
            if isinstance(line, cst.ClassDef) and line.name.value == "Meta":
                body[index] = self._meta(line)
                return updated_node.with_changes(body=block.with_changes(body=body))
        if not self._request.meta:
            return updated_node
        base = f"({self._request.meta_base}.Meta)" if self._request.meta_base else ""
        lines = "\n".join(f"    {key} = {value}" for key, value in self._request.meta.items())
        new = statement(f"class Meta{base}:\n{lines}\n")
        place = self._after_fields(body)
        if place or len(body) > 1:
            new = new.with_changes(leading_lines=[cst.EmptyLine(indent=False)])
        if place < len(body) and not _blank_before(body[place]):
            body[place] = body[place].with_changes(
                leading_lines=[
                    cst.EmptyLine(indent=False),
                    *getattr(body[place], "leading_lines", ()),
                ]
            )
        body.insert(place, new)
        body = [line for line in body if not _is_pass(line)]
        if len(body) == 1:
            body[0] = body[0].with_changes(leading_lines=[])
        return updated_node.with_changes(body=block.with_changes(body=body))

    @staticmethod
    def _after_fields(body: Sequence[cst.CSTNode]) -> int:
        place = 0
        for index, line in enumerate(body):
            if isinstance(line, cst.SimpleStatementLine):
                place = index + 1
            elif isinstance(line, cst.FunctionDef):
                break
        return place

    def _meta(self, node: cst.ClassDef) -> cst.ClassDef:
        settings = dict(self._request.meta)
        block = node.body
        lines = list(block.body) if isinstance(block, cst.IndentedBlock) else []
        kept = []
        for line in lines:
            if isinstance(line, cst.SimpleStatementLine) and isinstance(line.body[0], cst.Assign):
                target = dotted(line.body[0].targets[0].target)
                if target == "app_label":
                    value = quoted(self._request.target_label)
                    new = line.body[0].with_changes(value=value)
                    line = line.with_changes(body=[new, *line.body[1:]])
                elif target == "indexes":
                    new = self._named(cst.ensure_type(line.body[0], cst.Assign))
                    line = line.with_changes(body=[new, *line.body[1:]])
                settings.pop(target, None)
            if not _is_pass(line):
                kept.append(line)
        added = [statement(f"{key} = {value}") for key, value in settings.items()]
        body = [*kept, *added]
        if isinstance(block, cst.IndentedBlock):
            fresh = node.with_changes(body=block.with_changes(body=body))
        else:
            fresh = node.with_changes(body=cst.IndentedBlock(body=body))
        return cst.ensure_type(changed(fresh, _Texts(self._request.texts)), cst.ClassDef)

    def _named(self, node: cst.Assign) -> cst.Assign:
        """The indexes of Meta, each with its name written down."""
        value = node.value
        names = self._request.index_names
        if not isinstance(value, (cst.List, cst.Tuple)) or len(value.elements) != len(names):
            return node
        elements = []
        for element, name in zip(value.elements, names, strict=True):
            call = element.value
            if (
                name
                and isinstance(call, cst.Call)
                and not any(dotted(arg.keyword) == "name" for arg in call.args)
            ):
                call = call.with_changes(args=[*call.args, keyword("name", quoted(name))])
            elements.append(element.with_changes(value=call))
        return node.with_changes(value=value.with_changes(elements=elements))


class _Texts(cst.CSTTransformer):
    """Replaces pieces of strings."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        super().__init__()
        self._texts = texts

    def leave_SimpleString(
        self, original_node: cst.SimpleString, updated_node: cst.SimpleString
    ) -> cst.SimpleString:
        value = updated_node.value
        for old, new in self._texts.items():
            value = value.replace(old, new)
        return updated_node.with_changes(value=value)


def _is_pass(line: cst.CSTNode) -> bool:
    return isinstance(line, cst.SimpleStatementLine) and isinstance(line.body[0], cst.Pass)


def _blank_before(line: cst.CSTNode) -> bool:
    return any(empty.comment is None for empty in getattr(line, "leading_lines", ()))
