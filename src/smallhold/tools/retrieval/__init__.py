"""Finding the tools that a message asks for among many, by words and by meaning."""

from smallhold.tools.retrieval.retrievable import DescribedTool, RetrievableTool
from smallhold.tools.retrieval.retriever import Retrieved, ToolRetriever
from smallhold.tools.retrieval.tool_vectors import BatchEmbedder

__all__ = ["BatchEmbedder", "DescribedTool", "RetrievableTool", "Retrieved", "ToolRetriever"]
