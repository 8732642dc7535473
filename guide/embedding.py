"""Sentence embeddings of all-MiniLM-L6-v2, run by onnxruntime."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Sequence

import numpy as np
import onnxruntime
from numpy.typing import NDArray

# One thread: a turn embeds one short text, and the server has other visitors to answer.
# The tokeniser reads this when it is first used; its threads also warn after every fork.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from tokenizers import Tokenizer

MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
MANIFEST_FILE = "encoder.json"
FILES = (MODEL_FILE, TOKENIZER_FILE, MANIFEST_FILE)

# Raised when the exported graph changes, so that encoders built before are built again.
GRAPH_VERSION = 2

DIMENSION = 384
MAX_TOKENS = 256


class EncoderMissing(FileNotFoundError):
    """The encoder's files are not where they should be."""


def require_files(directory: Path) -> None:
    """Raises EncoderMissing when a file of the encoder is not there or of another version."""
    for name in FILES:
        if not (directory / name).is_file():
            raise EncoderMissing(
                f"{directory / name}: the sentence encoder is not built; "
                "build it with `python -m guide.encoder_export`"
            )
    manifest = json.loads((directory / MANIFEST_FILE).read_text(encoding="utf-8"))
    if manifest.get("graph_version") != GRAPH_VERSION:
        raise EncoderMissing(
            f"{directory / MANIFEST_FILE}: the sentence encoder is of another version; "
            "build it with `python -m guide.encoder_export`, then train again"
        )


class SentenceEncoder:
    """Turns texts into unit vectors whose dot product is their cosine similarity.

    The directory holds what `python -m guide.encoder_export` writes. Pooling and normalisation
    are part of the exported graph.
    """

    def __init__(self, directory: Path) -> None:
        """Loads the encoder; raises EncoderMissing when a file is not there."""
        require_files(directory)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(directory / MODEL_FILE), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = Tokenizer.from_file(str(directory / TOKENIZER_FILE))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Returns the embeddings of the texts, shape (len(texts), 384), rows of length one.

        Each text is run alone: the weights are 8-bit integers, and the rounding of what they
        multiply would otherwise depend on the texts that happen to share a batch.
        """
        embeddings = np.empty((len(texts), DIMENSION), dtype=np.float32)
        for row, encoding in zip(
            embeddings, self._tokenizer.encode_batch(list(texts)), strict=True
        ):
            ids = np.array([encoding.ids], dtype=np.int32)
            (result,) = self._session.run(None, {"input_ids": ids})
            row[:] = result[0]
        return embeddings
