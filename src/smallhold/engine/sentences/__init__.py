"""Sentence embeddings on the CPU: this package reads a BERT's weights and runs it with numpy."""

__all__: list[str] = []
