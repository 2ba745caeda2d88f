"""The page of results says what was measured, and nothing else."""

from dataclasses import replace
from xml.etree import ElementTree

from tests.bench import figures, plain, repeat, tables
from tests.bench.results import Measured, publish


def measured(*figures):
    return Measured("how fast", "make bench ONLY=one", "2026-11-28", ["2 processors"], ["a lead: {}"], figures)


def test_keeps_what_other_parts_measured_before(tmp_path):
    publish({"one": measured(("one_vs_other", "0.62", "x"))}, folder=tmp_path)
    publish({"two": measured(("two_vs_other", "1234", "x"), ("two", "7.5", "us"))}, folder=tmp_path)
    publish({"one": measured(("one_vs_other", "0.71", "x"))}, folder=tmp_path)

    page = (tmp_path / "results.md").read_text()
    assert "| `one_vs_other` | 0.71 | x |" in page
    assert "| `two` | 7.5 | us |" in page
    assert "0.62" not in page
    assert "2 processors" in page
    chart = ElementTree.fromstring((tmp_path / "ratios.svg").read_text())
    bars = [bar for bar in chart.iter() if bar.get("class") == "bar"]
    assert [bar[0].text for bar in bars] == ["one_vs_other: 0.71 x", "two_vs_other: 1234 x"]


def test_figures_are_plain_decimals():
    values = [28071.2, 0.000123456, 3, 0.0, 99.996, 1_234_567.8]

    assert [plain(value) for value in values] == ["28071", "0.0001235", "3", "0.0", "100.00", "1234568"]


def test_shows_tables_in_the_place_of_the_figures_they_hold(tmp_path):
    rows = [["leads", "10", "100", "", "why"], ["assign", "2.5", "2.6", "ms", "flat"]]

    publish({"scale": replace(measured(("scale_assign_10_leads", "2.5", "ms")), tables=[rows])}, folder=tmp_path)
    publish({"other": measured(("other", "1", "s"))}, folder=tmp_path)

    page = (tmp_path / "results.md").read_text()
    assert (
        "| leads | 10 | 100 |  | why |\n| --- | ---: | ---: | ---: | --- |\n| assign | 2.5 | 2.6 | ms | flat |" in page
    )
    assert "scale_assign_10_leads" not in page
    assert "| `other` | 1 | s |" in page


def test_repeats_what_another_process_has_said(capsys):
    figures.clear()
    tables.clear()

    repeat('bench assign 2.5 ms\ntable [["leads", "10", "why"], ["assign", "2.5", "flat"]]\n# filled')

    assert figures == [("assign", "2.5", "ms")]
    assert tables == [[["leads", "10", "why"], ["assign", "2.5", "flat"]]]
    assert "# assign  2.5  flat" in capsys.readouterr().out
