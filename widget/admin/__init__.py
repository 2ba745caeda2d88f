"""The admin of what visitors see."""

from widget.admin import sites

__all__ = ["sites"]
