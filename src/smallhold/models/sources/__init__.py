"""Adapters that fetch a model's bytes: one file for each kind of source."""

from smallhold.models.sources.opening import source_opener
from smallhold.models.sources.protocol import Arrival, FetchJob, Source, SourceOpener

__all__ = ["Arrival", "FetchJob", "Source", "SourceOpener", "source_opener"]
