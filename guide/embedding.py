"""Sentence embeddings of all-MiniLM-L6-v2, run by onnxruntime."""

from __future__ import annotations

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

DIMENSION = 384
MAX_TOKENS = 256
BATCH_SIZE = 64


class EncoderMissing(FileNotFoundError):
    """The encoder's files are not where they should be."""


def require_files(directory: Path) -> None:
    """Raises EncoderMissing when one of the encoder's files is not there."""
    for name in FILES:
        if not (directory / name).is_file():
            raise EncoderMissing(
                f"{directory / name}: the sentence encoder is not built; "
                "build it with `python -m guide.encoder_export`"
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
        """Returns the embeddings of the texts, shape (len(texts), 384), rows of length one."""
        token_ids = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        embeddings = np.empty((len(token_ids), DIMENSION), dtype=np.float32)
        # Texts of similar length share a batch, so that little of it is padding.
        order = sorted(range(len(token_ids)), key=lambda index: len(token_ids[index]))
        for start in range(0, len(order), BATCH_SIZE):
            batch = order[start : start + BATCH_SIZE]
            embeddings[batch] = self._run([token_ids[index] for index in batch])
        return embeddings

    def _run(self, batch: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Runs the model on token ids, which come sorted by length."""
        ids = np.zeros((len(batch), len(batch[-1])), dtype=np.int32)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        (result,) = self._session.run(None, {"input_ids": ids, "attention_mask": mask})
        return np.asarray(result, dtype=np.float32)
