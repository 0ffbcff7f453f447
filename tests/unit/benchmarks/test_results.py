import pytest

from benchmarks import results


def _samples(cold_s, warm_ms, peak_mb):
    """Samples of three processes each, with the figures given in the middle."""

    def around(value):
        return [value / 2, value, value * 3]

    steps = {"download": 1.0, "rest": 0.5, "KB": 100.0}
    return {
        "cold_start": {f"{name}, 2 CPU": [{"all": s} for s in around(value)] for name, value in cold_s.items()},
        "warm": {f"{name}, 2 CPU": [{**steps, "all": ms} for ms in around(value)] for name, value in warm_ms.items()},
        "peak_rss_mb": {
            name: [*({"0.65": mb} for mb in around(value)), {"12": 9999.0}] for name, value in peak_mb.items()
        },
    }


GOOD = _samples(
    {"baseline": 21.0, "tensorflow": 2.0, "litert": 0.25, "litert@abc": 0.5},
    {"baseline": 90.0, "tensorflow": 30.0, "litert": 20.0, "litert@abc": 25.0},
    {"baseline": 1600.0, "tensorflow": 700.0, "litert": 200.0, "litert@abc": 200.0},
)


def test_the_headline_has_medians_of_the_standard_picture():
    assert results.tables(GOOD)["headline"] == {
        "Cold start, s": {"baseline": 21.0, "tensorflow": 2.0, "litert": 0.25, "litert@abc": 0.5},
        "Warm request, ms": {"baseline": 90.0, "tensorflow": 30.0, "litert": 20.0, "litert@abc": 25.0},
        "Peak memory, MB": {"baseline": 1600.0, "tensorflow": 700.0, "litert": 200.0, "litert@abc": 200.0},
    }


def test_the_headline_is_of_most_cpus():
    samples = {table: dict(rows) for table, rows in GOOD.items()}
    for table in ("cold_start", "warm"):
        samples[table] = {**samples[table], "baseline, 1 CPU": [{"all": 7.0, "KB": 1.0}]}
    assert results.tables(samples)["headline"]["Cold start, s"]["baseline"] == 21.0


def test_every_line_of_the_bar_is_met_by_good_figures():
    bar = results.tables(GOOD)["bar"]
    assert [line["measured"] for line in bar.values()] == [10.5, 84.0, 3.0, 4.5, 2.29, 8.0]
    assert all(line["met"] for line in bar.values())


def test_a_slow_start_misses_its_line_of_the_bar_and_no_other():
    headline = {figure: dict(of) for figure, of in results.tables(GOOD)["headline"].items()}
    headline["Cold start, s"]["litert"] = 0.31
    missed = [line for line, of in results.bar(headline).items() if not of["met"]]
    assert missed == ["Cold start, s, litert: times better than the baseline"]


def test_another_revision_is_set_against_this_one():
    drawing = {
        "annotate_by_n": {name: [{"3": 1.0}, {"100": ms}] for name, ms in {"litert": 8.0, "litert@abc": 16.0}.items()}
    }
    assert results.tables({**GOOD, **drawing})["against"] == {
        "Cold start, s, litert": {"abc": 0.5, "now": 0.25, "now / then": 0.5},
        "Warm request, ms, litert": {"abc": 25.0, "now": 20.0, "now / then": 0.8},
        "Peak memory, MB, litert": {"abc": 200.0, "now": 200.0, "now / then": 1.0},
        "Drawing 100 objects, ms, litert": {"abc": 16.0, "now": 8.0, "now / then": 0.5},
    }


def test_another_revision_comes_last_as_it_is_asked_less():
    asked = {"litert@abc": [{"100": 9.0}], "litert": [{"1": 1.0}, {"100": 8.0}]}
    drawing = results.tables({**GOOD, "annotate_by_n": asked})["annotate_by_n"]
    assert list(drawing.items()) == [("litert", {"1": 1.0, "100": 8.0}), ("litert@abc", {"100": 9.0})]


def test_every_start_is_kept():
    assert results.tables(GOOD)["cold_start"]["litert, 2 CPU"]["each"] == [0.125, 0.25, 0.75]


def test_a_column_is_the_median_of_the_samples_that_have_it():
    assert results.medians([{"a": 1.0}, {"b": 5.0}, {"a": 2.0}, {"a": 9.0}]) == {"a": 2.0, "b": 5.0}


def test_95_of_100_values_do_not_exceed_the_95th_percentile():
    assert results.p95(list(range(100, 0, -1))) == 95


def test_an_image_that_grew_misses_the_container_bar():
    bar = results.container_bar({"image, MB": 401.0, "docker run → first answer, s": 0.7})
    assert [line["met"] for line in bar.values()] == [False, True]


def test_a_million_pictures_cost_computing_requests_and_traffic():
    cost = results.tables(GOOD)["cost"]["litert, 2 CPU"]
    gb_s = 1e6 * 0.020 * 3538 / 1024
    assert cost["compute"] == pytest.approx(gb_s * 0.0000166667)
    assert cost["all"] == pytest.approx(cost["compute"] + 1.20 + 9.0)
