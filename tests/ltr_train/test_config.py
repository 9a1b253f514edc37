"""Configurations: read, overridden, checked; an error names its line."""

from pathlib import Path

import pytest

from ltr_train.config import ConfigError, TrainConfig, differences, read_config

YAML = """\
# A comment
model:
  channels: 32
  chanels: 3
loss:
  kl: -1

steps: many
"""


def test_shipped_ones_are_read_by_name_and_overridden() -> None:
    config = read_config("default", ["model.channels=32", "steps=7", "pairs.video_weights={a: 2}"])
    assert config.model.channels == 32
    assert config.steps == 7
    assert config.pairs.video_weights == {"a": 2}


def test_every_error_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(YAML)
    with pytest.raises(ConfigError) as error:
        read_config(path)
    said = str(error.value)
    for line, name in ((4, "model.chanels"), (6, "loss.kl"), (8, "steps")):
        assert f"{path}, line {line}: {name}: " in said


def test_an_error_of_an_override_names_the_override(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--set model\.bins=0: model\.bins: .*greater"):
        read_config("default", ["steps=3", "model.bins=0"])
    with pytest.raises(ConfigError, match=r"--set model=\{bins: 0\}: model\.bins"):
        read_config("default", ["model={bins: 0}"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "not valid YAML"),
        ("- 3", "must hold names and values"),
        ("method: mdn", "model.score: proposal"),
        ("method: joint\nmodel: {score: proposal}", "model.score: energy"),
        ("method: mdn\nmodel: {score: proposal}", "loss.energy: 0"),
        ("method: magic", "line 1: method"),
    ],
)
def test_what_cannot_be_used_says_what_to_mend(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said.replace(".", r"\.")):
        read_config(path)


def test_a_file_that_is_no_text_and_one_that_cannot_be_made_small_say_so(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"wrong\.yaml cannot be read as text"):
        read_config(path)
    path.write_text("data: 3")
    with pytest.raises(ConfigError, match="data is a single value"):
        read_config(path, tiny=True)


def test_a_missing_one_and_malformed_overrides() -> None:
    with pytest.raises(ConfigError, match="no configuration"):
        read_config("missing")
    for override in ("steps", "steps.a=3", "steps.a.b=3", "steps=[1"):
        with pytest.raises(ConfigError, match="override"):
            read_config("default", [override])


def test_what_may_change_in_a_resumed_run_is_where_and_how_fast() -> None:
    began = TrainConfig()
    moved = read_config("default", ["data.root=/other", "data.workers=7", "validation.batch=3", "log_every=7"])
    same = read_config("default")
    assert differences(same, moved) == []
    assert differences(began, began.model_copy(update={"batch": 7, "seed": 3})) == ["batch", "seed"]
