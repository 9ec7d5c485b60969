"""The engine: llama.cpp in a worker process, decoding under grammar."""

from smallhold.engine.config import ModelConfig

__all__ = ["ModelConfig"]
