# The build generates this package from the library. It is private: the classes around it carry the types.
from typing import Any

def __getattr__(name: str) -> Any: ...
