"""What goes wrong with a stack on one machine; every message is for whoever typed the command.

Failed
├── Busy
├── PortTaken
└── Stuck
"""

from __future__ import annotations


class Failed(Exception):
    """A part did not come up, or cannot; the message says why and where to read on."""


class Busy(Failed):
    """Another command has been working on this folder for longer than we are ready to wait."""


class PortTaken(Failed):
    """Somebody else listens on a port that is to be ours."""


class Stuck(Failed):
    """A process is there even after SIGKILL: it sleeps in the kernel, or belongs to somebody else."""
