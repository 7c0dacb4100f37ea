"""Search's tables. The databases' own full-text index beside them follows `Document` by itself.

On PostgreSQL it is columns generated from the words, on SQLite an FTS5 table kept by triggers; both
are made by the first migration. So whoever writes a document, also by copying rows, indexes it.
"""

from django.db import models


class Document(models.Model):
    """What is indexed of a product. A withdrawn one keeps an empty row, for its revision.

    `revision` grows with every event's write. Whoever writes without an event (the reindexing)
    notes the highest revision first, then asks catalog, and leaves documents alone that are beyond
    it by then: what it was told about them may be old.
    """

    slug = models.CharField(max_length=100, unique=True)
    title = models.CharField(max_length=200, blank=True)
    # The title as one normal text: what a search that begins like it is compared with.
    title_key = models.CharField(max_length=300, blank=True)
    title_words = models.TextField(blank=True)
    keyword_words = models.TextField(blank=True)
    description_words = models.TextField(blank=True)
    category = models.CharField(max_length=100, blank=True)
    # The option values, [[name, value], ...]: thousands of documents are counted at a time.
    choices = models.TextField(default="[]")
    # Category and option values as words of the full-text index, which is what narrows a search.
    filter_words = models.TextField(blank=True)
    shown = models.BooleanField(default=False)
    digest = models.CharField(max_length=32, blank=True)
    revision = models.BigIntegerField(default=0, db_index=True)

    class Meta:
        indexes = (
            models.Index(
                fields=["category"], name="search_by_category", condition=models.Q(shown=True)
            ),
        )

    def __str__(self) -> str:
        return self.slug


class Category(models.Model):
    """What catalog calls a category, as far as search was told."""

    slug = models.CharField(max_length=100, primary_key=True)
    title = models.CharField(max_length=100)
    title_key = models.CharField(max_length=300)
    parent = models.CharField(max_length=100, blank=True)

    class Meta:
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.title


class Word(models.Model):
    """A word of the index that a typing error may have been meant for."""

    word = models.CharField(max_length=40, primary_key=True)

    def __str__(self) -> str:
        return self.word


class Shortening(models.Model):
    """What is left of a word's beginning without one or two of its letters.

    Words that differ by a typing error share one, so candidates are found by equality (the
    symmetric delete algorithm of SymSpell).
    """

    text = models.CharField(max_length=8)
    word = models.CharField(max_length=40)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["text", "word"], name="search_shortening_once"),
        )

    def __str__(self) -> str:
        return f"{self.text} for {self.word}"
