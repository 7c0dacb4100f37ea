"""Forms of the back office."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.forms.formsets import BaseFormSet, formset_factory

from modules.catalog import models
from modules.catalog.provider import pictures

SEPARATOR = "|"
_SKU = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_PATH = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*", re.ASCII)
_LONGEST_LIST = 10_000


def parts(text: str, separator: str = SEPARATOR) -> tuple[str, ...]:
    """The values of a list that is typed in one line."""
    return tuple(part.strip() for part in text.split(separator) if part.strip())


def line(values: Iterable[str]) -> str:
    """Values as they are typed in one line."""
    return f" {SEPARATOR} ".join(values)


def _is_path(text: str) -> bool:
    return bool(_PATH.fullmatch(text)) and ".." not in text


def _input(size: int) -> forms.TextInput:
    return forms.TextInput(attrs={"size": size, "spellcheck": "false"})


class ImageForm(forms.Form):
    """A picture: one that is there, by its path, or a new one."""

    upload = forms.FileField(
        required=False,
        allow_empty_file=True,  # refused as no picture, like everything that is none
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
    )
    path = forms.CharField(required=False, max_length=200, widget=_input(22))
    alt = forms.CharField(label="what it shows", required=False, max_length=500, widget=_input(26))

    def clean_upload(self) -> "UploadedFile[Any] | None":
        """What can be shown as a picture."""
        upload: UploadedFile[Any] | None = self.cleaned_data["upload"]
        if upload is not None:
            try:
                pictures().check(file=upload, name=str(upload.name)[:100])
            except ValueError as error:
                raise ValidationError(f"{error}.") from None
        return upload

    def clean_path(self) -> str:
        """A path that stays below the static files."""
        path = str(self.cleaned_data["path"])
        if path and path != self.initial.get("path") and not _is_path(path):
            raise ValidationError(f"{path[:100]} is no path like products/mug.svg.")
        return path

    def clean(self) -> dict[str, Any]:
        """A picture is either uploaded or named."""
        data: dict[str, Any] = super().clean() or {}
        if not self.errors and not data.get("upload") and not data.get("path"):
            raise ValidationError("Choose a file, or write the path of a picture that is there.")
        return data


class OptionForm(forms.Form):
    """What a customer chooses between."""

    name = forms.CharField(max_length=100, widget=_input(20))
    values = forms.CharField(
        max_length=_LONGEST_LIST,
        widget=_input(60),
        help_text=f"With {SEPARATOR} between them: sand {SEPARATOR} moss {SEPARATOR} ink.",
    )


class VariantForm(forms.Form):
    """One thing that can be bought."""

    sku = forms.CharField(label="SKU", max_length=64, widget=_input(18))
    name = forms.CharField(required=False, max_length=100, widget=_input(16))
    values = forms.CharField(
        required=False,
        max_length=_LONGEST_LIST,
        widget=_input(18),
        help_text=f"One for each option, in their order: sand {SEPARATOR} small.",
    )
    image = forms.CharField(
        label="picture",
        required=False,
        max_length=200,
        widget=_input(6),
        help_text="The number of its own picture above, or a path; empty: the first one shows it.",
    )

    def clean_sku(self) -> str:
        """A SKU that every part of the shop can name; one that is there already is not judged."""
        sku = str(self.cleaned_data["sku"])
        if sku != self.initial.get("sku") and not _SKU.fullmatch(sku):
            raise ValidationError(
                f"{sku} is no SKU: use letters, digits, points, dashes and underscores."
            )
        return sku

    def clean_image(self) -> str:
        """A number, or a path that stays below the static files."""
        image = str(self.cleaned_data["image"])
        if image and image != self.initial.get("image") and not _is_path(image):
            raise ValidationError(f"{image[:100]} is neither a number nor a path.")
        return image


def _rows(form: type[forms.Form], *, least: int, most: int) -> "type[BaseFormSet[forms.Form]]":
    return formset_factory(
        form,
        extra=1,
        can_order=True,
        can_delete=True,
        min_num=least,
        validate_min=True,
        max_num=most,
        validate_max=True,
        absolute_max=most,
    )


ROWS = {
    "images": _rows(ImageForm, least=1, most=50),
    "options": _rows(OptionForm, least=0, most=5),
    "variants": _rows(VariantForm, least=1, most=100),
}


class ProductForm(forms.Form):
    """A product with all that is said of it: its `rows` are tables of their own."""

    slug = forms.SlugField(max_length=100, help_text="The last part of its address.")
    title = forms.CharField(max_length=200, widget=_input(60))
    description = forms.CharField(
        max_length=10_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "cols": 80}),
        help_text="Plain text; an empty line between paragraphs.",
    )
    category = forms.ChoiceField(required=False)
    tags = forms.CharField(
        required=False,
        max_length=_LONGEST_LIST,
        widget=_input(60),
        help_text="With commas between them.",
    )

    def __init__(self, data: Any = None, files: Any = None, *, initial: Mapping[str, Any]) -> None:
        super().__init__(data, files, initial=dict(initial))
        self.rows = {
            name: make(data, files, prefix=name, initial=initial.get(name, ()))
            for name, make in ROWS.items()
        }
        category = self.fields["category"]
        assert isinstance(category, forms.ChoiceField)  # noqa: S101 - declared so above
        category.choices = [("", "-"), *categories()]

    def is_multipart(self) -> bool:
        """Pictures are uploaded with it."""
        return True

    def clean(self) -> dict[str, Any]:
        """The rows in order, without those that are taken out."""
        data: dict[str, Any] = super().clean() or {}
        for name, rows in self.rows.items():
            if not rows.is_valid():
                self.add_error(None, f"Look at the {name} again.")
                continue
            data[name] = [row.cleaned_data for row in rows.ordered_forms]
        if "images" in data and "variants" in data:
            self._name_pictures(data)
        return data

    def _name_pictures(self, data: dict[str, Any]) -> None:
        """Say of each variant which row of the pictures shows it."""
        rows = self.rows["images"]
        kept = {id(row) for row in rows.ordered_forms}
        by_number = {
            str(number): row.cleaned_data
            for number, row in enumerate(rows.forms, start=1)
            if id(row) in kept
        }
        for variant in data["variants"]:
            image = variant["image"]
            variant["shown_in"] = by_number.get(image)
            if image.isdecimal() and variant["shown_in"] is None:
                self.add_error(None, f"{variant['sku']}: there is no picture {image[:20]}.")


class CategoryForm(forms.Form):
    """A shelf."""

    slug = forms.SlugField(max_length=100)
    title = forms.CharField(max_length=100)
    parent = forms.ChoiceField(required=False, help_text="Empty for a main category.")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        parent = self.fields["parent"]
        assert isinstance(parent, forms.ChoiceField)  # noqa: S101 - declared so above
        main = models.Category.objects.filter(parent=None).order_by("title")
        parent.choices = [("", "-"), *main.values_list("slug", "title")]


def categories() -> list[tuple[str, str]]:
    """All categories to choose from, each with the main one above it."""
    rows = models.Category.objects.select_related("parent")
    named = [
        (one.slug, f"{one.parent.title} / {one.title}" if one.parent else one.title) for one in rows
    ]
    return sorted(named, key=lambda pair: pair[1])
