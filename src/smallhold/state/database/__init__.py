"""Where state is kept: this package holds the database, its tenants and its encryption."""

from smallhold.state.database.database import Database
from smallhold.state.database.durability import Durability
from smallhold.state.database.sealing import Sealer
from smallhold.state.database.tenants import TenantConnection, TenantDatabase

__all__ = ["Database", "Durability", "Sealer", "TenantConnection", "TenantDatabase"]
