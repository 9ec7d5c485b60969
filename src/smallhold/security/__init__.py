"""What protects an agent and its data: this package holds encryption."""

from smallhold.security.encryption import KEY_BYTES, KeyRing

__all__ = ["KEY_BYTES", "KeyRing"]
