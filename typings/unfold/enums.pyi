from enum import Enum

class ActionVariant(Enum):
    SUCCESS = "success"
