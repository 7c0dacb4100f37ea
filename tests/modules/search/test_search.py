"""What a search finds, and in which order: the same on every database."""

import pytest

from modules.search.interface import InvalidCursor, Search, SuggestionKind
from monolift import use
from monolift.testing.scenario import Scenario
from monolift.testing.statements import statements
from tests.modules.search.goods import counts, draft, found, page, publish, shelves

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.topologies("local", "loopback", fake=Search),
]


def suggested(text: str, limit: int = 8) -> list[str]:
    return [one.text for one in use(Search).suggest(text=text, limit=limit)]


def test_the_title_counts_before_tags_and_tags_before_the_description(scenario: Scenario) -> None:
    publish(
        draft("Tall vase", description="Looks well beside a teapot."),
        draft("Cosy", tags=["Teapot"]),
        draft("Iron teapot"),
        draft("Ladder"),
    )
    scenario.run_until_idle()
    assert found("teapot") == ["iron-teapot", "cosy", "tall-vase"]


@pytest.mark.topologies("local", "loopback")
def test_equal_titles_come_first_then_beginnings_then_whole_words(scenario: Scenario) -> None:
    publish(
        draft("Old mugs"),
        draft("Blue mug"),
        draft("Mugs for six"),
        draft("Mug"),
        draft("Large yellow mug"),
        draft("Mug tree"),
    )
    scenario.run_until_idle()
    assert found("mug") == [
        "mug",
        "mug-tree",
        "mugs-for-six",
        "blue-mug",
        "large-yellow-mug",
        "old-mugs",
    ]


def test_every_word_must_be_there_and_the_last_may_be_a_beginning(scenario: Scenario) -> None:
    publish(draft("Blue cotton shirt"), draft("Blue wool scarf"), draft("Bluebell"))
    scenario.run_until_idle()
    assert found("blue sh") == ["blue-cotton-shirt"]
    assert found("sh blue") == []
    assert found("blu") == ["bluebell", "blue-cotton-shirt", "blue-wool-scarf"]
    assert found("shirt blue cotton") == ["blue-cotton-shirt"]


@pytest.mark.topologies("local", "loopback")
def test_case_accents_and_apostrophes_do_not_matter(scenario: Scenario) -> None:
    publish(draft("Crème brûlée dish", slug="dish"), draft("Men's Straße boots", slug="boots"))
    scenario.run_until_idle()
    for text in ("creme brulee", "CRÈME", "Cre\u0301me"):
        assert found(text) == ["dish"], text
    for text in ("mens", "men\u2019s", "STRASSE", "straße"):
        assert found(text) == ["boots"], text


@pytest.mark.topologies("local", "loopback")
def test_words_of_languages_without_spaces_and_from_right_to_left(scenario: Scenario) -> None:
    publish(
        draft("日本茶の急須", slug="kyusu"),
        draft("陶瓷茶杯", slug="cup"),
        draft("ポスター", slug="poster"),
        draft("إبريق شاي", slug="ibrik"),
        draft("קומקום תה", slug="kumkum"),
        draft("한국 찻잔", slug="chat"),
        draft("हिन्दी किताब", slug="kitab"),
    )
    scenario.run_until_idle()
    assert found("茶") == ["kyusu", "cup"] or found("茶") == ["cup", "kyusu"]
    assert found("日本") == ["kyusu"]
    assert found("本茶") == ["kyusu"]
    assert found("茶杯") == ["cup"]
    assert found("ポスタ") == ["poster"]
    assert found("ホスタ") == [], "voiced letters are other letters"
    assert found("شاي") == ["ibrik"]
    assert found("תה") == ["kumkum"]
    assert found("찻") == ["chat"]
    assert found("हिन्दी") == ["kitab"]


def test_skus_options_and_the_category_are_words_too(scenario: Scenario) -> None:
    shelves()
    publish(draft("Beaker", category="cups", options={"Colour": ["Moss", "Ink"]}))
    scenario.run_until_idle()
    for text in ("sku-beaker", "moss", "cups"):
        assert found(text) == ["beaker"], text


@pytest.mark.topologies("local", "loopback")
def test_a_slip_of_the_finger_is_forgiven_and_told(scenario: Scenario) -> None:
    publish(draft("Desk lamp"), draft("Stoneware mug"), draft("Stone"))
    scenario.run_until_idle()
    for typed in ("lmap", "lanp", "lamps", "laamp", "amp"):
        answer = page(typed)
        forgiven = (("desk-lamp",), "lamp") if len(typed) > 3 else ((), "")
        assert (answer.slugs, answer.corrected) == forgiven, typed
    for typed in ("stonware", "stnoewrae", "mtoneware"):
        answer = page(typed)
        assert (answer.slugs, answer.corrected) == (("stoneware-mug",), "stoneware"), typed
    assert page("desk lmap").corrected == "desk lamp"


def test_words_that_are_there_are_not_corrected(scenario: Scenario) -> None:
    publish(draft("Desk lamp"), draft("Camp bed"))
    scenario.run_until_idle()
    assert page("camp").corrected == ""
    answer = page("camp lamp")
    assert (answer.slugs, answer.corrected) == ((), ""), "each is there, both in none"
    assert page("xyzzy").slugs == ()
    assert page("lamp", category="no-such").corrected == "", "a filter is no typing error"


@pytest.mark.topologies("local", "loopback")
def test_of_several_near_words_the_most_frequent_is_taken(scenario: Scenario) -> None:
    publish(draft("Damp cloth"), draft("Floor lamp"), draft("Desk lamp"), draft("Green ramp"))
    scenario.run_until_idle()
    assert page("zamp").corrected == "lamp"


def test_model_numbers_are_not_corrected(scenario: Scenario) -> None:
    publish(draft("Drill X2000"))
    scenario.run_until_idle()
    assert found("x2000") == ["drill-x2000"]
    assert found("x2001") == []


def test_the_category_takes_in_its_subcategories(scenario: Scenario) -> None:
    shelves()
    publish(
        draft("Green mug", category="cups"),
        draft("Green pan", category="kitchen"),
        draft("Green hose", category="garden"),
        draft("Green thing"),
    )
    scenario.run_until_idle()
    assert found("green", category="kitchen") == ["green-mug", "green-pan"]
    assert found("green", category="cups") == ["green-mug"]
    assert found("green", category="unknown") == []


def test_a_facet_does_not_narrow_itself(scenario: Scenario) -> None:
    shelves()
    publish(
        draft("Shirt one", options={"Colour": ["red", "blue"], "Size": ["S"]}, category="garden"),
        draft("Shirt two", options={"Colour": ["red"], "Size": ["M"]}, category="garden"),
        draft("Shirt three", options={"Colour": ["green"], "Size": ["M"]}, category="cups"),
        draft("Trousers", options={"Colour": ["red"], "Size": ["L"]}),
    )
    scenario.run_until_idle()
    every = {"red": 2, "blue": 1, "green": 1}
    assert counts(page("shirt")) == {
        "category": {"garden": 2, "cups": 1, "kitchen": 1},
        "Colour": every,
        "Size": {"M": 2, "S": 1},
    }
    red = page("shirt", options={"Colour": ["red"]})
    assert set(red.slugs) == {"shirt-one", "shirt-two"}
    assert counts(red) == {
        "category": {"garden": 2},
        "Colour": every,
        "Size": {"M": 1, "S": 1},
    }
    assert set(found("shirt", options={"Colour": ["red", "green"]})) == {
        "shirt-one",
        "shirt-two",
        "shirt-three",
    }
    both = page("shirt", options={"Colour": ["red"], "Size": ["M"]}, category="garden")
    assert both.slugs == ("shirt-two",)
    assert counts(both) == {
        "category": {"garden": 1},
        "Colour": {"red": 1},
        "Size": {"S": 1, "M": 1},
    }
    nothing = page("shirt", options={"Size": ["XXL"]})
    assert nothing.slugs == ()
    assert counts(nothing)["Size"] == {"M": 2, "S": 1, "XXL": 0}, "a choice can be taken back"


def test_category_values_have_titles(scenario: Scenario) -> None:
    shelves()
    publish(draft("Green mug", category="cups"))
    scenario.run_until_idle()
    (facet,) = page("green").facets
    assert [(one.value, one.title) for one in facet.values] == [
        ("cups", "Cups and mugs"),
        ("kitchen", "Kitchen"),
    ]


@pytest.mark.parametrize("text", ["", "thing"])
def test_pages_go_on_where_the_last_one_ended(text: str, scenario: Scenario) -> None:
    publish(*(draft(f"Thing {number:02}") for number in range(25)))
    scenario.run_until_idle()
    seen: list[str] = []
    after = None
    while True:
        answer = page(text, limit=10, after=after)
        assert (answer.total, answer.more) == (25, False)
        seen += answer.slugs
        after = answer.next
        if after is None:
            break
    assert seen == [f"thing-{number:02}" for number in range(25)]


def test_a_broken_cursor_is_refused() -> None:
    for after in ("", "x", "e30", "WzEsMiwzLDRd", "é", "A" * 3000):
        for text in ("", "thing"):
            with pytest.raises(InvalidCursor, match="give a page's `next`"):
                page(text, after=after)


def test_no_text_is_every_product_by_title(scenario: Scenario) -> None:
    publish(draft("b"), draft("C"), draft("a"))
    scenario.run_until_idle()
    assert found(" ") == ["a", "b", "c"]


def test_suggestions_are_categories_and_titles_that_go_on_like_the_text(
    scenario: Scenario,
) -> None:
    shelves()
    publish(
        draft("Cup", category="cups"),
        draft("Cupboard"),
        draft("Blue cup"),
        draft("Saucer", description="Goes with a cup."),
    )
    scenario.run_until_idle()
    assert suggested("cup") == ["Cups and mugs", "Cup", "Cupboard", "Blue cup"]
    assert suggested("cup", limit=2) == ["Cups and mugs", "Cup"]
    assert suggested("gard") == [], "nothing is in the garden"
    first = use(Search).suggest(text="mug")[0]
    assert (first.kind, first.slug) == (SuggestionKind.CATEGORY, "cups")


@pytest.mark.topologies("local", "loopback")
def test_a_suggestion_forgives_a_slip_of_the_finger(scenario: Scenario) -> None:
    publish(draft("Cupboard"), draft("Saucer"))
    scenario.run_until_idle()
    assert suggested("cupborad") == ["Cupboard"]


NAUGHTY = [
    "",
    " ",
    "\t\n",
    "\0",
    "mug\0mug",
    '"',
    '"mug',
    "mug*",
    "* *",
    "^mug",
    "-mug",
    "NOT mug",
    "mug AND",
    "OR",
    "NEAR(mug tea, 2)",
    "title_words:mug",
    "{title_words} : mug",
    "(((",
    "mug & | ! <->",
    "mug:*",
    "'mug'; DROP TABLE search_document; --",
    "\\",
    "%",
    "_",
    "!?.,;:-",
    "a" * 10_000,
    "mug " * 2_500,
    "\u202emug",
    "\u200b",
    "\ufeff",
    "😀",
    "e\u0301" * 300,
    "\u0301" * 500,
    "ﷺ" * 100,
    "日" * 500,
    "𠀀𠀁",
    "ß" * 100,
    "\u1100\u1161",
]


@pytest.mark.topologies("local", "loopback")
def test_no_text_is_an_error(scenario: Scenario) -> None:
    publish(draft("Stoneware mug"), draft("ﷺ" * 90, slug="long"))
    scenario.run_until_idle()
    for text in NAUGHTY:
        answer = page(text, category=text[:300], options={text[:300]: [text[:300]]})
        assert answer.slugs == (), text
        assert page(text).total <= 2, text
        assert len(suggested(text)) <= 2, text


@pytest.mark.topologies("local", "loopback")
def test_signs_around_a_word_do_not_hide_it_and_alone_they_find_nothing(
    scenario: Scenario,
) -> None:
    publish(draft("Stoneware mug"))
    scenario.run_until_idle()
    for text in ('"mug', "mug*", "mug:*", "'mug'", "\u202emug", "mug\0", "-mug !", "mug_"):
        assert found(text) == ["stoneware-mug"], text
    for text in ("!?.,;:-", "😀", "\0", "()", "_", "%"):
        assert found(text) == [], text


@pytest.mark.topologies("local", "loopback")
def test_a_search_takes_a_bounded_number_of_statements(scenario: Scenario) -> None:
    publish(*(draft(f"Thing {number:02}", options={"Colour": ["red"]}) for number in range(25)))
    scenario.run_until_idle()
    with statements() as seen:
        page("thing", options={"Colour": ["red"]})
    assert len(seen) <= 8, seen
    with statements() as seen:
        suggested("thi")
    assert len(seen) <= 3, seen
