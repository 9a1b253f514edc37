"""What a command waits for before its first answer."""

import gc
import subprocess
import sys

import pytest

from ebtrack.loading import loading


def test_garbage_is_looked_for_again_whatever_happens() -> None:
    def fail() -> None:
        with loading():
            assert not gc.isenabled()
            raise ImportError

    with pytest.raises(ImportError):
        fail()
    assert gc.isenabled()
    gc.unfreeze()


def test_nothing_is_imported_that_the_first_box_does_not_need() -> None:
    needed = "import ebtrack.cli, ebtrack.info, ebtrack.progress, tracker.session, tracker.sinks, tracker.sources"
    later = "matplotlib", "onnxruntime", "onnx", "got10k", "pandas", "scipy", "torchvision", "IPython", "jinja2"
    told = subprocess.run(
        [sys.executable, "-c", f"{needed}; import sys; print(*sorted(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(told.stdout.split())
    assert "torch" in loaded
    assert not loaded & set(later)
