"""What the correctness tests share: this file holds small models of random weights."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import tiny_models


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tiny-models")


@pytest.fixture(scope="session")
def tiny_llama(tiny_folder: Path) -> Path:
    return tiny_models.write_llama(tiny_folder / "llama.gguf")


@pytest.fixture(scope="session")
def tiny_sliding_window(tiny_folder: Path) -> Path:
    return tiny_models.write_sliding_window(tiny_folder / "sliding-window.gguf")


@pytest.fixture(scope="session")
def tiny_recurrent(tiny_folder: Path) -> Path:
    return tiny_models.write_recurrent(tiny_folder / "recurrent.gguf")


@pytest.fixture(scope="session")
def tiny_lora(tiny_folder: Path, tiny_llama: Path) -> Path:
    return tiny_models.write_lora(tiny_folder / "llama-lora.gguf", base=tiny_llama)


@pytest.fixture(scope="session")
def smollm2_lora(tiny_folder: Path, smollm2_path: Path) -> Path:
    return tiny_models.write_lora(tiny_folder / "smollm2-lora.gguf", base=smollm2_path)
