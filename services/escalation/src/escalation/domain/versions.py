"""The next version of a policy or calendar."""

from __future__ import annotations

from escalation.domain.rules import Content, Kind, Rules


def next_version(rules: Rules, kind: Kind, draft: Content) -> tuple[Content, bool]:
    """The version that a draft becomes, and whether it is new: one that says what the newest says is that one."""
    newest = rules.version(kind, draft.name)
    if newest is None:
        return draft.model_copy(update={"version": 1}), True
    if _says(newest.content) == _says(draft):
        return newest.content, False
    return draft.model_copy(update={"version": newest.content.version + 1}), True


def _says(content: Content) -> dict[str, object]:
    """The rules themselves: what is not said, and what is said to be nothing, are the same."""
    return content.model_dump(exclude_none=True, exclude={"version", "by"})
