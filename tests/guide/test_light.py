"""The stand-in for TensorFlow: what may be done with it, and that computing fails."""

import subprocess
import sys

import pytest

from guide.light import is_wanted

ALLOWED = """
import typing
import tensorflow as tf
from tensorflow.python.keras.engine import data_adapter
from tensorflow.keras.utils import Sequence as Batches

class Model(tf.keras.Model, Batches):
    shape: typing.Union[tf.Tensor, tf.SparseTensor, None] = None

@tf.function
def plain(x: tf.Tensor) -> int:
    return x

@tf.function(jit_compile=True)
def with_settings(x: "tf.Tensor") -> int:
    return x

assert plain(1) == with_settings(1) == 1
assert not isinstance(3, tf.RaggedTensor)
import thinc.compat
assert not thinc.compat.has_tensorflow
"""


def run(code: str) -> "subprocess.CompletedProcess[str]":
    """Run code in a process of its own, as the stand-in stays."""
    before = "from guide.light import leave_out_tensorflow\nleave_out_tensorflow()\n"
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", before + code], capture_output=True, text=True
    )


def test_what_rasa_does_while_it_is_imported_is_allowed() -> None:
    done = run(ALLOWED)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "code",
    [
        "import tensorflow as tf; tf.constant(1)",
        "import tensorflow as tf; tf.random.set_seed(1)",
        "import tensorflow as tf\nclass Model(tf.keras.Model): pass\nModel()",
        "from tensorflow.keras import layers; layers.Dense(3)",
    ],
)
def test_computing_fails(code: str) -> None:
    done = run(code)
    assert done.returncode != 0
    assert "LIGHT=1" in done.stderr


def test_a_component_that_needs_tensorflow_can_be_imported_but_not_built() -> None:
    done = run(
        "from rasa.utils.tensorflow.models import RasaModel\n"
        "print('imported')\n"
        "RasaModel(random_seed=1)\n"
    )
    assert "imported" in done.stdout
    assert "LIGHT=1" in done.stderr


@pytest.mark.parametrize(
    ("value", "wanted"), [(None, False), ("", False), ("0", False), ("1", True)]
)
def test_the_environment_asks_for_it(
    value: str | None, wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LIGHT", raising=False)
    if value is not None:
        monkeypatch.setenv("LIGHT", value)
    assert is_wanted() is wanted
