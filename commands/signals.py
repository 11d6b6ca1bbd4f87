"""The signals that stop a command: heard once, then it cleans up undisturbed, and ends within seconds."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from types import FrameType

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE = 10.0  # seconds to clean up in
SOON = 0.05  # seconds after which a signal is sent again that came where nothing can be raised


class Stopped(BaseException):
    """A signal stops the command. Not an Exception, so that nobody takes it for a failure of what they do."""


class Listener:
    """Raises `Stopped` in the main thread at the first signal that stops a command. Those that the process was started
    to ignore (`nohup`) stay ignored."""

    def __init__(self) -> None:
        self.stopped_by: signal.Signals | None = None
        self._numbers = [number for number in STOPS if signal.getsignal(number) != signal.SIG_IGN]

    def start(self) -> None:
        """Listen, until `end`."""
        heard, told = os.pipe()
        os.set_blocking(told, False)
        signal.set_wakeup_fd(told, warn_on_full_buffer=False)
        self._listen()
        sys.unraisablehook = self._raise_again
        threading.Thread(target=self._end_in_time, args=(heard,), daemon=True).start()

    def end(self) -> None:
        """All is done: what comes now ends the process at once."""
        for number in self._numbers:
            signal.signal(number, signal.SIG_DFL)

    def _listen(self) -> None:
        for number in self._numbers:
            signal.signal(number, self._stop)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        for each in self._numbers:
            signal.signal(each, signal.SIG_IGN)  # cleaning up is not disturbed
        self.stopped_by = signal.Signals(number)
        raise Stopped(number)

    def _raise_again(self, lost: sys.UnraisableHookArgs) -> None:
        """Where it was raised in what Python calls in passing, such as `__del__`, it is lost: it comes again."""
        if isinstance(lost.exc_value, Stopped):
            self._listen()
            threading.Timer(SOON, signal.raise_signal, lost.exc_value.args).start()
        else:
            sys.__unraisablehook__(lost)

    def _end_in_time(self, heard: int) -> None:
        """End the process, whatever it is at, when it has not done so itself. Nothing is harmed: a job goes on from
        any stop."""
        number = 0
        while number not in self._numbers:  # Python tells of every signal
            number = os.read(heard, 1)[0]
        time.sleep(GRACE)
        os._exit(128 + number)
