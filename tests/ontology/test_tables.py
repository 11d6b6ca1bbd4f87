"""Text tables: how columns are told apart, and which numbers are numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nosograph.errors import NosographError
from nosograph.ontology.tables import read_number, read_table


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_any_columns_are_read_with_their_lines(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, 'id;age, in years;note\n1;71;"a;\nb"\n\n2; 64 ;""\n'), known=())
    assert table.columns == ("id", "age, in years", "note")
    found = [(row.line, dict(row.cells)) for row in table.rows()]
    assert found == [
        (2, {"id": "1", "age, in years": "71", "note": "a;\nb"}),
        (5, {"id": "2", "age, in years": "64", "note": ""}),
    ]


def test_one_column_has_no_delimiter(tmp_path: Path) -> None:
    assert [row.cells for row in read_table(write(tmp_path, "age\n71\n")).rows()] == [{"age": "71"}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the table has no header"),
        (" \n,,\n", "the table has no header"),
        ("a;b,c\n1;2,3\n", "may be separated by commas or semicolons"),
        ("sep=:\na:b\n", "separated by commas, semicolons or tabs"),
        ("a,b,a\n", "'a' stands twice"),
        ("a\0,b\n", "characters of value 0"),
    ],
)
def test_a_header_that_is_none(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(NosographError, match=message):
        read_table(write(tmp_path, text))


def test_a_declared_delimiter_decides(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "sep=;\na;b,c\n1;2,3\n"))
    assert [(row.line, dict(row.cells)) for row in table.rows()] == [(3, {"a": "1", "b,c": "2,3"})]


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (("24,5", "6,100"), ","),
        (("0.125", "6.100"), "."),
        (("24", "x"), "."),
        (("1,5 years", ""), ","),
        (("1234,567",), ","),
        (("6,100",), None),
        (("6.100", "1.200"), None),
        (("24,5", "24.5"), None),
    ],
)
def test_the_decimal_mark_is_what_the_numbers_show(tmp_path: Path, cells: tuple[str, ...], mark: str | None) -> None:
    table = read_table(write(tmp_path, "a;b\n" + "".join(f"1;{cell}\n" for cell in cells)))
    if mark is not None:
        assert table.find_decimal_mark(("a", "b")) == mark
        return
    with pytest.raises(NosographError) as caught:
        table.find_decimal_mark(("a", "b"))
    assert caught.value.problems[0].line


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_those_of_python(value: float) -> None:
    assert read_number(repr(value)) == value
    assert read_number(repr(value).replace(".", ","), decimal=",") == value


@pytest.mark.parametrize("text", ["", "2_4", "1,5", "0x10", "1e", "e5", "١", "nan", "inf", "1 000", "1e999", "½", "+"])
def test_no_numbers(text: str) -> None:
    with pytest.raises(NosographError, match="write: "):
        read_number(text, node="age", file="t.csv", line=2)
