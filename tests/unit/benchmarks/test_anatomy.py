import cProfile
import pstats
import runpy

import pytest

from benchmarks import anatomy, subjects

LOG = """import time: self [us] | cumulative | imported package
import time:       100 |        100 |   _io
import time:       500 |        500 |       ai_edge_litert.wrapper
import time:      2000 |       2500 |     ai_edge_litert
import time:      1000 |       3500 |   recognizer.vision.engine_litert
import time:       300 |        300 |   numpy.core
import time:       200 |        500 |   numpy
WARNING: something else on stderr
import time:     90000 |      94000 | handler
"""


def test_imports_are_added_up_by_package():
    assert anatomy.imported(LOG, "recognizer.vision.engine_tensorflow") == {
        "import Python's own library": 0.1,
        "import ai_edge_litert": 2.5,
        "import recognizer": 1.0,
        "import numpy": 0.5,
    }


def test_what_only_the_engine_needs_counts_as_the_engine():
    assert anatomy.imported(LOG, "recognizer.vision.engine_litert") == {
        "import Python's own library": 0.1,
        "import the engine, with what only it needs": 3.5,
        "import numpy": 0.5,
    }


@pytest.fixture
def told(tmp_path):
    """The profile of a story that calls another of its own files, and two functions that are no part of it."""
    (tmp_path / "work.py").write_text("def resize(): return sorted(range(99))\ndef suppress(): resize()\n")
    (tmp_path / "inner.py").write_text("from work import resize\ndef detect(): resize()\n")
    (tmp_path / "outer.py").write_text(
        "from inner import detect\nfrom work import suppress\ndef run():\n    detect()\n    suppress()\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(tmp_path))
        run = runpy.run_path(str(tmp_path / "outer.py"))["run"]
        profile = cProfile.Profile()
        profile.runcall(run)
    return pstats.Stats(profile), {str(tmp_path / "outer.py"), str(tmp_path / "inner.py")}


def test_the_parts_are_what_the_story_calls_that_is_no_part_of_it(told):
    parts_ms = anatomy.called(*told)
    assert set(parts_ms) == {"work.resize", "work.suppress"}
    assert all(ms > 0 for ms in parts_ms.values())


def test_small_parts_are_one_row():
    table = anatomy.table({"a": {"big": 9.0, "small": 1.0, "smaller": 0.5}, "b": {"other": 20.0, "big": 2.0}}, 5.0)
    assert table == {
        "other": {"a": 0.0, "b": 20.0},
        "big": {"a": 9.0, "b": 2.0},
        "what takes less than 5 ms": {"a": 1.5, "b": 0.0},
    }


@pytest.mark.parametrize("file", anatomy.STORY)
def test_each_file_of_the_story_is_there(file):
    assert (subjects.RECOGNIZER / "recognizer" / file).is_file()


def test_a_file_of_the_story_that_is_gone_is_an_error(tmp_path):
    subject = subjects.Subject("litert", "handler", tmp_path, {})
    with pytest.raises(subjects.NotMeasured, match=r"mend STORY"):
        anatomy.dissected(subject, [0], {})
