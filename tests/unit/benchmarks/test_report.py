import pytest

from benchmarks import plot, report


def test_the_document_is_what_the_published_results_make_of_it():
    document = report.DOCUMENT.read_text(encoding="utf-8")
    assert report.filled(document, report.load()) == document


def test_the_plot_is_the_same_each_time_it_is_drawn():
    drawn = plot.svg(report.load())
    assert drawn == plot.svg(report.load())
    assert "Warm request by step" in drawn  # text stays text
    assert "<dc:date>" not in drawn


def test_prose_between_sections_stays_as_it_is():
    document = "before\n<!-- generated: one -->\nold\n<!-- end -->\nafter"
    found = {"one": {"row": {"column": 1234.5}}}
    assert report.filled(document, found) == (
        "before\n<!-- generated: one -->\n\n|  | column |\n| --- | ---: |\n| row | 1,234 |\n\n<!-- end -->\nafter"
    )


def test_a_section_without_results_is_an_error():
    with pytest.raises(KeyError, match="gone"):
        report.filled("<!-- generated: gone -->\n<!-- end -->", {})


def test_a_missed_bar_is_seen_in_the_table():
    assert "| **no** |" in report.table({"a": {"met": False}})


def test_what_was_not_measured_says_so():
    assert report.table({}) == "Not measured in this run."


def test_another_revision_has_fewer_columns_than_this_one():
    table = report.table({"litert": {"0.65": 231, "12": 345}, "litert@abc": {"0.65": 240}})
    assert table.splitlines()[-1] == "| litert@abc | 240 |  |"
