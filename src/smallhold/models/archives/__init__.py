"""Models carried from one machine to another in one file: archives of models."""

from smallhold.models.archives.exporting import ExportPlan, export_models, plan_export
from smallhold.models.archives.importing import (
    ImportAction,
    ImportPlan,
    ImportStep,
    ImportTarget,
    import_models,
    plan_import,
)

__all__ = [
    "ExportPlan",
    "ImportAction",
    "ImportPlan",
    "ImportStep",
    "ImportTarget",
    "export_models",
    "import_models",
    "plan_export",
    "plan_import",
]
