"""Data loaders: one that measures waiting time, and one that prepares whole batches ahead in a thread.

Worker processes copy every batch once more on its way to the training process, and gathering releases the GIL, so a
thread is faster. Workers are still better if each sample runs Python code, as with image transforms.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator

from torch.utils.data import DataLoader

from getiaction.data.windows import Batch

READ_AHEAD = 2


class TimedLoader(DataLoader[Batch]):
    """A DataLoader that measures how long the training process waits for batches.

    Attributes:
        waited: seconds spent waiting for batches, over all epochs.
    """

    waited = 0.0

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        batches = self._batches()
        while True:
            begun = time.perf_counter()
            try:
                batch = next(batches)
            except StopIteration:
                return
            finally:
                self.waited += time.perf_counter() - begun
            yield batch

    def _batches(self) -> Iterator[Batch]:
        return super().__iter__()


class BatchLoader(TimedLoader):
    """A DataLoader that prepares the next batches while the current one is used.

    Not for datasets that draw random numbers in the training process: the model uses the same generator, and the order
    of the draws would be random.
    """

    def _batches(self) -> Iterator[Batch]:
        return ahead(super()._batches())


def ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Yield the same batches, up to `READ_AHEAD` of them prepared in advance."""
    ready: queue.Queue[tuple[Batch | None, BaseException | None]] = queue.Queue(READ_AHEAD)
    stop = threading.Event()

    def put(batch: Batch | None, error: BaseException | None = None) -> bool:
        while not stop.is_set():
            try:
                ready.put((batch, error), timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for batch in batches:
                if not put(batch):
                    return
            put(None)
        except BaseException as error:
            put(None, error)

    thread = threading.Thread(target=work, name="batches", daemon=True)
    thread.start()
    try:
        while True:
            batch, error = ready.get()
            if error is not None:
                raise error
            if batch is None:
                return
            yield batch
    finally:
        stop.set()
        thread.join()
