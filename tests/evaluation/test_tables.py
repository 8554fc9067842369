"""Tables of records: how values are written, and which of a column is the best."""

from typing import NamedTuple

from symface_cli.evaluation.tables import Cell, Column, Table


class Fruit(NamedTuple):
    name: str
    sweetness: float | None
    price: float


FRUITS = [Fruit("apple", 0.5, 2), Fruit("lemon", None, 1.5), Fruit("plum", 0.5004, 1.5), Fruit("quince", 0.2, 3)]
NAME = Column[Fruit](heading="fruit", value=lambda fruit: fruit.name)
SWEETNESS = Column[Fruit](heading="sweetness", value=lambda fruit: fruit.sweetness, format="{:.3f}", best=max)
PRICE = Column[Fruit](
    heading="price", value=lambda fruit: fruit.price, format="{:.1f} EUR", note=lambda fruit: "each", best=min
)


def kinds(column: Column[Fruit]) -> list[str]:
    return [cell.kind for cell in column.cells(FRUITS)]


def test_values_are_written_in_their_format_and_missing_ones_as_a_dash() -> None:
    assert [cell.text for cell in SWEETNESS.cells(FRUITS)] == ["0.500", "-", "0.500", "0.200"]
    assert PRICE.cells(FRUITS)[0] == Cell("2.0 EUR", "each")
    assert str(PRICE.cells(FRUITS)[0]) == "2.0 EUR (each)"


def test_all_values_that_look_like_the_best_are_best() -> None:
    assert kinds(SWEETNESS) == ["best", "", "best", ""]
    assert kinds(PRICE) == ["", "best", "best", ""]


def test_nothing_is_the_best_of_equals_of_texts_or_where_nothing_is_better() -> None:
    assert not any(cell.kind for cell in PRICE.cells(FRUITS[1:3]))
    assert not any(cell.kind for cell in SWEETNESS.cells(FRUITS[:2]))  # one value alone
    assert not any(kinds(NAME))
    assert not any(kinds(Column[Fruit](heading="price", value=lambda fruit: fruit.price)))


def test_what_the_paper_reports_is_set_off() -> None:
    paper = Column[Fruit](heading="paper", value=lambda fruit: fruit.sweetness, from_paper=True)
    assert kinds(paper) == ["paper"] * 4
    assert (paper.head(), NAME.head()) == (Cell("paper", kind="paper"), Cell("fruit"))


def test_table_is_written_as_text_and_markdown() -> None:
    table = Table("fruits", (NAME, SWEETNESS, PRICE), FRUITS[:2])
    assert table.header() == ["fruit", "sweetness", "price"]
    assert table.texts() == [["apple", "0.500", "2.0 EUR (each)"], ["lemon", "-", "1.5 EUR (each)"]]
    assert table.as_markdown() == [
        "| fruit | sweetness | price |",
        "| --- | ---: | ---: |",
        "| apple | 0.500 | 2.0 EUR (each) |",
        "| lemon | - | 1.5 EUR (each) |",
    ]


def test_table_without_rows_has_a_heading() -> None:
    assert Table("nothing", (NAME,), []).as_markdown() == ["| fruit |", "| --- |"]
