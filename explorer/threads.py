"""How many threads a page's matrix products take."""

from __future__ import annotations

from threadpoolctl import ThreadpoolController


def one_thread_for_products() -> None:
    """One thread each for NumPy's and SciPy's; a large one in many threads would be done sooner on an idle machine.

    Theirs wait for one another by asking the system for a turn again and again. Where a core has something else to do,
    such as another visitor's page, each of the many steps of a decomposition then waits for turns of milliseconds
    (`benchmarks.busy_products`). FAISS and PyTorch, whose threads are OpenMP's, keep theirs.
    """
    import scipy.linalg  # noqa: F401 - what is not loaded yet would not be told

    ThreadpoolController().select(threading_layer=["pthreads"]).limit(limits=1)
