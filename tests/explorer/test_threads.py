"""How many threads the app's products take, in a process of its own: what is set holds for all of a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.explorer.conftest import ROOT

_ASKED = """
import json
import app
from threadpoolctl import threadpool_info
print(json.dumps([[one["user_api"], one.get("threading_layer"), one["num_threads"]] for one in threadpool_info()]))
"""


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="with one core there is one thread anyway")
def test_products_take_one_thread_each_and_the_encoder_keeps_its_own() -> None:
    """Two threads that wait for one another take seconds for what one does in 20 ms, where a core is busy."""
    environment = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", _ASKED],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = json.loads(done.stdout.strip().splitlines()[-1])
    products = [n for api, layer, n in found if api == "blas" and layer == "pthreads"]
    assert len(products) >= 2, "NumPy's and SciPy's"
    assert set(products) == {1}
    assert max(n for api, _, n in found if api == "openmp") >= 2, "PyTorch's and FAISS's"
