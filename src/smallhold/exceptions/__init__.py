"""The one exception tree of Smallhold: this package holds every error that Smallhold raises.

Branches are drawn by who can act::

    SmallholdError
    ├── CallerError                  the caller's request or code must change
    │   ├── ConfigError              a setting has a bad value
    │   ├── InvalidMessageError      an empty or far too long message
    │   ├── SessionBusyError         the session is answering another message
    │   ├── UnknownSessionError      no such session
    │   ├── UnknownRunError          no such run
    │   ├── SessionExistsError       the session's id is taken
    │   ├── UnfinishedRunError       the latest run must be resumed or given up first
    │   ├── RunNotResumableError     it has ended otherwise
    │   ├── SessionImportError       what should be imported is no session
    │   ├── ContextOverflowError     the prompt does not fit the context window
    │   │   └── PartOverflowError    a part of it that cannot be shortened is why
    │   ├── ToolDefinitionError      a tool cannot be described to a model
    │   ├── UnsupportedSchemaError   a JSON Schema that the grammar cannot express
    │   ├── ChatTemplateError        a chat template failed or exceeded its limits
    │   ├── UnknownModelError        no such alias in the catalog
    │   ├── UnknownVariantError      no such quantization of the model
    │   ├── UnknownNeedError         no model is for what is wanted
    │   ├── BudgetTooSmallError      no model that would do fits the memory
    │   ├── UnknownQuantizationError the engine writes no such files
    │   ├── AlreadyQuantizedError    a file has lost precision before
    │   ├── UnsupportedFeatureError  the chosen runtime cannot do what was asked
    │   ├── UnknownAdapterError      the model was loaded without this LoRA adapter
    │   ├── DatasetError             an evaluation file is malformed
    │   ├── ApprovalError            a request for approval cannot be made or decided so
    │   │   ├── UnknownApprovalError no such request
    │   │   ├── ApprovalDecidedError it was decided before
    │   │   ├── ApprovalExpiredError nobody decided in time
    │   │   └── ApprovalMismatchError what was shown is not what is asked
    │   ├── EffectError              an effect in the outbox must be chosen otherwise
    │   │   ├── UnknownEffectError   no such effect
    │   │   ├── EffectMismatchError  one idempotency key for two effects
    │   │   └── EffectSettledError   it was sent or dropped before
    │   ├── RejectedEffectError      an effect's receiver will never accept it
    │   ├── DocumentError            a document cannot be read
    │   │   ├── DocumentTooLargeError it exceeds a limit
    │   │   └── DocumentFetchError   a web page cannot or may not be fetched
    │   ├── UnknownDocumentError     no such document
    │   └── EmbeddingModelChangedError the documents' vectors are of another model
    ├── ModelError                   the model's files must be mended or fetched
    │   ├── CatalogError             the catalog file is malformed
    │   ├── UnsignedModelError       a model lacks the signature that is required
    │   ├── ModelNotInstalledError   the model is not in the store and may not be fetched
    │   │   └── ModelChangedError    its file is not the one that was stored any more
    │   ├── ModelInUseError          a process has it loaded
    │   ├── InvalidArchiveError      an archive of models is not sound
    │   ├── ArchiveNotWritableError  an archive of models cannot be written there
    │   ├── InvalidGGUFError         a file is not a sound GGUF file
    │   ├── InvalidWeightsError      a file is not a sound safetensors file of the model
    │   ├── CorruptDownloadError     bytes arrived with the wrong size or sha256
    │   ├── SourceUnavailableError   one source could not deliver
    │   ├── SourcesExhaustedError    every source failed
    │   ├── StoreFullError           not enough room on the disk
    │   ├── StoreBusyError           another process holds the lock for too long
    │   └── StoreNotWritableError    the store's folder cannot be written
    ├── EngineError                  the machine or the engine must be mended
    │   ├── EngineNotInstalledError  the engine's build is missing
    │   ├── CompilerMissingError     no C++ compiler to build the engine with
    │   ├── EngineBuildError         the compiler ran and failed
    │   ├── ModelLoadError           llama.cpp refused the model
    │   ├── WorkerDiedError          the engine's process ended in the middle of a request
    │   │   ├── WorkerHungError      it did not compute one token in time, and was ended
    │   │   └── WorkerMemoryError    it could not get the memory it needed, and ended
    │   ├── QueueFullError           as many requests wait as may
    │   ├── MemoryRefusedError       the memory for models has no room for this one
    │   ├── QuantizingError          no quantized file could be written
    │   └── DecodeError              a forward pass failed
    ├── StateError                   what is stored, or where, must be mended
    │   ├── WrongKeyError            the keys at hand do not open a stored value
    │   ├── DamagedRecordError       a stored value is not what was written
    │   ├── NewerFormatError         written by a newer version
    │   ├── QuarantinedSessionError  an entry of the session is damaged
    │   ├── CrossTenantError         a statement cannot be held to one tenant
    │   └── DatabaseError            the database cannot be used
    │       ├── DatabaseDamagedError its file is damaged
    │       ├── DatabaseFullError    no room on the disk
    │       └── DatabaseBusyError    another process writes for too long
    ├── PeerError                    a tool server or another agent must be mended
    │   ├── PeerUnavailableError     it cannot be started or reached
    │   ├── PeerTimeoutError         it did not answer in time
    │   ├── PeerFaultError           it sent what its protocol or schema rules out
    │   ├── PeerRefusalError         it answered with an error
    │   ├── PeerChangedError         it has changed what it offers
    │   └── UnknownOutcomeError      a call may have been done, or not
    └── RunError                     a run ended without an answer
        ├── DeadlineExceededError    the request's time was up
        ├── ModelOutputError         a runtime's output broke its own contract
        │   └── InvalidOutputError   an answer is not of the type that was asked for
        ├── RunTakenOverError        another process goes on with the run
        └── ScriptExhaustedError     a scripted runtime was asked for more than its script

Each class takes fields and builds its message: what happened, the limit, the actual value and the
next step.
"""

from __future__ import annotations

from smallhold.exceptions.approval import (
    ApprovalDecidedError,
    ApprovalError,
    ApprovalExpiredError,
    ApprovalMismatchError,
    UnknownApprovalError,
)
from smallhold.exceptions.caller import (
    AlreadyQuantizedError,
    BudgetTooSmallError,
    CallerError,
    ChatTemplateError,
    ConfigError,
    ContextOverflowError,
    DatasetError,
    InvalidMessageError,
    PartOverflowError,
    SessionBusyError,
    ToolDefinitionError,
    UnknownAdapterError,
    UnknownModelError,
    UnknownNeedError,
    UnknownQuantizationError,
    UnknownVariantError,
    UnsupportedFeatureError,
    UnsupportedSchemaError,
)
from smallhold.exceptions.engine import (
    CompilerMissingError,
    DecodeError,
    EngineBuildError,
    EngineError,
    EngineNotInstalledError,
    MemoryRefusedError,
    ModelLoadError,
    QuantizingError,
    QueueFullError,
    WorkerDiedError,
    WorkerHungError,
    WorkerMemoryError,
)
from smallhold.exceptions.knowledge import (
    DocumentError,
    DocumentFetchError,
    DocumentTooLargeError,
    EmbeddingModelChangedError,
    UnknownDocumentError,
)
from smallhold.exceptions.model import (
    ArchiveNotWritableError,
    CatalogError,
    CorruptDownloadError,
    InvalidArchiveError,
    InvalidGGUFError,
    InvalidWeightsError,
    ModelChangedError,
    ModelError,
    ModelInUseError,
    ModelNotInstalledError,
    SourcesExhaustedError,
    SourceUnavailableError,
    StoreBusyError,
    StoreFullError,
    StoreNotWritableError,
    UnsignedModelError,
)
from smallhold.exceptions.outbox import (
    EffectError,
    EffectMismatchError,
    EffectSettledError,
    RejectedEffectError,
    UnknownEffectError,
)
from smallhold.exceptions.peer import (
    PeerChangedError,
    PeerError,
    PeerFaultError,
    PeerRefusalError,
    PeerTimeoutError,
    PeerUnavailableError,
    UnknownOutcomeError,
)
from smallhold.exceptions.root import (
    SmallholdError,
)
from smallhold.exceptions.run import (
    DeadlineExceededError,
    InvalidOutputError,
    ModelOutputError,
    RunError,
    ScriptExhaustedError,
)
from smallhold.exceptions.session import (
    QuarantinedSessionError,
    RunNotResumableError,
    RunTakenOverError,
    SessionExistsError,
    SessionImportError,
    UnfinishedRunError,
    UnknownRunError,
    UnknownSessionError,
)
from smallhold.exceptions.state import (
    CrossTenantError,
    DamagedRecordError,
    DatabaseBusyError,
    DatabaseDamagedError,
    DatabaseError,
    DatabaseFullError,
    NewerFormatError,
    StateError,
    WrongKeyError,
)

__all__ = [
    "AlreadyQuantizedError",
    "ApprovalDecidedError",
    "ApprovalError",
    "ApprovalExpiredError",
    "ApprovalMismatchError",
    "ArchiveNotWritableError",
    "BudgetTooSmallError",
    "CallerError",
    "CatalogError",
    "ChatTemplateError",
    "CompilerMissingError",
    "ConfigError",
    "ContextOverflowError",
    "CorruptDownloadError",
    "CrossTenantError",
    "DamagedRecordError",
    "DatabaseBusyError",
    "DatabaseDamagedError",
    "DatabaseError",
    "DatabaseFullError",
    "DatasetError",
    "DeadlineExceededError",
    "DecodeError",
    "DocumentError",
    "DocumentFetchError",
    "DocumentTooLargeError",
    "EffectError",
    "EffectMismatchError",
    "EffectSettledError",
    "EmbeddingModelChangedError",
    "EngineBuildError",
    "EngineError",
    "EngineNotInstalledError",
    "InvalidArchiveError",
    "InvalidGGUFError",
    "InvalidMessageError",
    "InvalidOutputError",
    "InvalidWeightsError",
    "MemoryRefusedError",
    "ModelChangedError",
    "ModelError",
    "ModelInUseError",
    "ModelLoadError",
    "ModelNotInstalledError",
    "ModelOutputError",
    "NewerFormatError",
    "PartOverflowError",
    "PeerChangedError",
    "PeerError",
    "PeerFaultError",
    "PeerRefusalError",
    "PeerTimeoutError",
    "PeerUnavailableError",
    "QuantizingError",
    "QuarantinedSessionError",
    "QueueFullError",
    "RejectedEffectError",
    "RunError",
    "RunNotResumableError",
    "RunTakenOverError",
    "ScriptExhaustedError",
    "SessionBusyError",
    "SessionExistsError",
    "SessionImportError",
    "SmallholdError",
    "SourceUnavailableError",
    "SourcesExhaustedError",
    "StateError",
    "StoreBusyError",
    "StoreFullError",
    "StoreNotWritableError",
    "ToolDefinitionError",
    "UnfinishedRunError",
    "UnknownAdapterError",
    "UnknownApprovalError",
    "UnknownDocumentError",
    "UnknownEffectError",
    "UnknownModelError",
    "UnknownNeedError",
    "UnknownOutcomeError",
    "UnknownQuantizationError",
    "UnknownRunError",
    "UnknownSessionError",
    "UnknownVariantError",
    "UnsignedModelError",
    "UnsupportedFeatureError",
    "UnsupportedSchemaError",
    "WorkerDiedError",
    "WorkerHungError",
    "WorkerMemoryError",
    "WrongKeyError",
]
