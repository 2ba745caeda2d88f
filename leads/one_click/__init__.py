"""Acting on a lead from a message, without logging in: a signed link, a plain page, one button."""

from leads.one_click.acts import links_for

__all__ = ["links_for"]
