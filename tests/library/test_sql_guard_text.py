"""What the SQL guard reads in a statement: shapes that do not multiply, tables that are tables."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monolift.boundaries.sql.facts import LONGEST, SHAPES, TEXTS, Cache
from monolift.boundaries.sql.ownership import bare
from monolift.boundaries.sql.shapes import shape
from monolift.boundaries.sql.tables import Tables, tables

VENDORS = ("sqlite", "postgresql")

# Shapes -------------------------------------------------------------------------------------------

values = st.one_of(
    st.just("%s"),
    st.just("%(name)s"),
    st.just("NULL"),
    st.integers(min_value=0).map(str),
    st.floats(min_value=0, allow_nan=False, allow_infinity=False).map(repr),
    st.text(string.printable, max_size=20).map(lambda text: "'" + text.replace("'", "''") + "'"),
)
lists = st.lists(values, min_size=1, max_size=30)


def shaped(sql: str) -> str:
    """The shape, which is one for all kinds of databases."""
    (found,) = {shape(sql, vendor=vendor) for vendor in VENDORS}
    return found


@given(lists, lists)
def test_lists_of_any_length_and_content_have_one_shape(one: list[str], other: list[str]) -> None:
    def statement(items: list[str]) -> str:
        return f'SELECT "sku" FROM "stock_item" WHERE "sku" IN ({", ".join(items)}) LIMIT 5'

    assert shaped(statement(one)) == shaped(statement(other))


@given(lists, st.integers(1, 40), st.integers(1, 40))
def test_any_number_of_rows_has_one_shape(row: list[str], one: int, other: int) -> None:
    def statement(count: int) -> str:
        rows = ", ".join([f"({', '.join(row)})"] * count)
        return f'INSERT INTO "stock_item" ("sku") VALUES {rows} RETURNING "id"'

    assert shaped(statement(one)) == shaped(statement(other))


@given(st.integers(1, 30), st.integers(1, 30))
def test_an_update_of_any_number_of_rows_has_one_shape(one: int, other: int) -> None:
    def statement(count: int) -> str:
        cases = ' WHEN ("stock_item"."id" = %s) THEN %s::integer' * count
        return (
            f'UPDATE "stock_item" SET "left" = CASE{cases} ELSE NULL END '
            f'WHERE "stock_item"."id" IN ({", ".join(["%s"] * count)})'
        )

    assert shaped(statement(one)) == shaped(statement(other))


@given(st.text(string.printable, max_size=40))
def test_nothing_entered_stays_in_a_shape(secret: str) -> None:
    quoted = secret.replace("'", "''")
    assert shaped(f"SELECT 1 FROM t WHERE a = '{quoted}'") == "SELECT 0 FROM t WHERE a = 'x'"


@given(st.text(string.printable.replace("*/", "").replace("*", ""), max_size=40))
def test_comments_do_not_make_a_shape(remark: str) -> None:
    assert shaped(f"SELECT a /* {remark} */ FROM t") == "SELECT a FROM t"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ('SELECT "it\'s" FROM "a 1"', 'SELECT "it\'s" FROM "a 1"'),
        ("SELECT a1, b_2 FROM t3 -- 4\nWHERE x = 5", "SELECT a1, b_2 FROM t3 WHERE x = 0"),
        ("SELECT $tag$ it's 'odd' $tag$, $1", "SELECT 'x', 0"),
        ("SELECT E'it\\'s' FROM t", "SELECT 'x' FROM t"),
        ("SELECT a FROM t WHERE b = '\\' AND c = 'd'", "SELECT a FROM t WHERE b = 'x' AND c = 'x'"),
        ("SELECT $1, $2, .5, -1.5e3, a %% 2", "SELECT 0, 0, 0, -0, a % 0"),
    ],
)
def test_what_is_kept(sql: str, expected: str) -> None:
    assert shaped(sql) == expected


def test_a_question_mark_is_a_parameter_but_on_postgresql() -> None:
    sql = "SELECT a FROM t WHERE b ? 'c' AND d = ?1"
    assert shape(sql, vendor="sqlite") == "SELECT a FROM t WHERE b 0 'x' AND d = 0"
    for operator in ("?", "?|", "?&", "@?"):
        kept = shape(f"SELECT a FROM t WHERE b {operator} %s", vendor="postgresql")
        assert kept == f"SELECT a FROM t WHERE b {operator} 0"


def test_the_memory_is_bounded() -> None:
    cache = Cache("sqlite")
    for number in range(TEXTS + SHAPES):
        cache.learn(f"SELECT column_{number} FROM nothing")
    assert len(cache.texts) == TEXTS
    assert len(cache._shapes) == SHAPES
    long = f"SELECT 1 WHERE x IN ({', '.join(['%s'] * LONGEST)})"
    before = len(cache._shapes)
    cache.learn(long)
    assert long not in cache.texts
    assert len(cache._shapes) == before


# Tables -------------------------------------------------------------------------------------------

READING = {
    "SELECT 1": (),
    'SELECT "o"."id" FROM "a" "o" FOR UPDATE OF "o" SKIP LOCKED': ("a",),
    "SELECT a.x FROM a JOIN b ON a.x = b.x LEFT JOIN c AS d ON d.x = b.x": ("a", "b", "c"),
    "SELECT x FROM a WHERE x IN (SELECT x FROM b) AND EXISTS (SELECT 0 FROM c)": ("a", "b", "c"),
    "SELECT (SELECT x FROM b LIMIT 0) FROM a": ("a", "b"),
    "SELECT x FROM a UNION ALL SELECT x FROM b EXCEPT SELECT x FROM c": ("a", "b", "c"),
    "SELECT x FROM shop.a": ("a",),
    "WITH c AS (SELECT x FROM a) SELECT x FROM c": ("a",),
    # A common table expression that is not recursive does not see itself.
    "WITH a AS (SELECT x FROM a) SELECT x FROM a": ("a",),
    "WITH RECURSIVE a AS (SELECT 0 AS x UNION ALL SELECT x FROM a) SELECT x FROM a": (),
    "WITH c AS (SELECT 0 AS x), d AS (SELECT x FROM c) SELECT x FROM d, e": ("e",),
    # It hides a table inside its own statement only.
    "SELECT x FROM a WHERE x IN (WITH b AS (SELECT x FROM c) SELECT x FROM b) AND x IN "
    "(SELECT x FROM b)": ("a", "b", "c"),
    "WITH c AS (SELECT 0) SELECT x FROM shop.c": ("c",),
    "EXPLAIN SELECT x FROM a": ("a",),
}
WRITING = {
    "INSERT INTO a (x) VALUES (0)": ((), ("a",)),
    "INSERT INTO a (x) SELECT x FROM b ON CONFLICT DO NOTHING": (("b",), ("a",)),
    "UPDATE a SET x = 0 WHERE x IN (SELECT x FROM b)": (("b",), ("a",)),
    "UPDATE a SET x = 0 FROM b WHERE a.i = b.i": (("b",), ("a",)),
    "DELETE FROM a WHERE x IN (SELECT x FROM b)": (("b",), ("a",)),
    "CREATE INDEX i ON a (x)": ((), ("a",)),
    "ALTER TABLE a ADD COLUMN x int": ((), ("a",)),
    "DROP TABLE a": ((), ("a",)),
}
ON_POSTGRESQL = {
    "DELETE FROM a AS c USING b WHERE c.i = b.i": (("b",), ("a",)),
    "TRUNCATE a, b CASCADE": ((), ("a", "b")),
    "COPY a (x) FROM STDIN": ((), ("a",)),
    "COPY (SELECT x FROM a) TO STDOUT": (("a",), ()),
    "COPY a TO STDOUT": (("a",), ()),
    "WITH gone AS (DELETE FROM a RETURNING x) INSERT INTO b SELECT x FROM gone": ((), ("a", "b")),
    "INSERT INTO a (x) VALUES (0) ON CONFLICT (x) DO UPDATE SET y = EXCLUDED.y": ((), ("a",)),
    "MERGE INTO a USING b ON a.i = b.i WHEN MATCHED THEN DELETE": (("b",), ("a",)),
    "SELECT x INTO b FROM a": (("a",), ("b",)),
    "SELECT x FROM a, LATERAL (SELECT x FROM b) c, generate_series(0, 0) d": (("a", "b"), ()),
    "SELECT x FROM ONLY a": (("a",), ()),
    "EXPLAIN (ANALYZE, BUFFERS) DELETE FROM a": ((), ("a",)),
    "DECLARE c NO SCROLL CURSOR WITH HOLD FOR SELECT x FROM a": (("a",), ()),
    "SELECT x FROM a WHERE d ? 'x' AND d ?| %s AND d ?& ARRAY[%s, %s]": (("a",), ()),
    "DELETE FROM a WHERE d @? '$.x' AND (d::jsonb) ? 'x'": ((), ("a",)),
    "SELECT interval 'x', '0'::date, d ->> 'x' FROM a WHERE t @@ to_tsquery('x')": (("a",), ()),
}
ON_SQLITE = {
    "REPLACE INTO a (x) VALUES (0)": ((), ("a",)),
    "INSERT OR IGNORE INTO a (x) VALUES (0)": ((), ("a",)),
    "SELECT rowid FROM a WHERE a MATCH 'x' ORDER BY rank": (("a",), ()),
    "EXPLAIN QUERY PLAN SELECT x FROM a": (("a",), ()),
}


def check(sql: str, vendor: str, read: tuple[str, ...], written: tuple[str, ...]) -> None:
    found = tables(shape(sql, vendor=vendor), vendor=vendor)
    assert not found.unread
    assert (sorted(found.read), sorted(found.written)) == (sorted(read), sorted(written))


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(("sql", "read"), READING.items())
def test_tables_that_are_read(sql: str, read: tuple[str, ...], vendor: str) -> None:
    check(sql, vendor, read, ())


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(("sql", "expected"), WRITING.items())
def test_tables_that_are_written(
    sql: str, expected: tuple[tuple[str, ...], tuple[str, ...]], vendor: str
) -> None:
    check(sql, vendor, *expected)


@pytest.mark.parametrize(("sql", "expected"), ON_POSTGRESQL.items())
def test_statements_of_postgresql(
    sql: str, expected: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    check(sql, "postgresql", *expected)


@pytest.mark.parametrize(("sql", "expected"), ON_SQLITE.items())
def test_statements_of_sqlite(sql: str, expected: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
    check(sql, "sqlite", *expected)


@pytest.mark.parametrize("sql", ["SELEC x FRO a", "SELECT (((", "'", "LOCK TABLE a"])
def test_what_cannot_be_read_is_said_to_be_so(sql: str) -> None:
    assert tables(sql, vendor="postgresql") == Tables(frozenset(), frozenset(), (sql,))


def test_one_statement_that_cannot_be_read_hides_no_other() -> None:
    sql = "SET CONSTRAINTS ALL IMMEDIATE; DELETE FROM a; LOCK TABLE b; SELECT x FROM c"
    assert tables(sql, vendor="postgresql") == Tables(
        frozenset("c"), frozenset("a"), ("SET CONSTRAINTS ALL IMMEDIATE", "LOCK TABLE b")
    )


@given(st.text(max_size=80))
def test_no_text_breaks_the_reader(text: str) -> None:
    tables(shape(text, vendor="postgresql"), vendor="postgresql")


def test_a_deep_condition_is_read() -> None:
    conditions = " OR ".join(f"x = {number} AND y_{number} = 1" for number in range(300))
    found = tables(shaped(f"SELECT x FROM a WHERE {conditions}"), vendor="sqlite")
    assert found.read == {"a"}


names = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True).filter(
    lambda name: not name.startswith("c_")
)


@given(st.lists(names, min_size=1, max_size=6, unique=True), st.sampled_from(VENDORS))
def test_quoted_tables_are_found_and_aliases_are_not(names: list[str], vendor: str) -> None:
    joined = "".join(f' JOIN "{name}" "c_{name}" ON "c_{name}"."x" = 0' for name in names[1:])
    sql = f'SELECT "c_{names[0]}".* FROM "{names[0]}" "c_{names[0]}"{joined}'
    found = tables(shape(sql, vendor=vendor), vendor=vendor)
    assert found.read == set(names)


@pytest.mark.parametrize(
    ("db_table", "name"),
    [("stock_item", "stock_item"), ('shop"."Item', "item"), ('"Quoted"', "quoted")],
)
def test_a_models_table_may_hold_a_schema(db_table: str, name: str) -> None:
    assert bare(db_table) == name
