# SPDX-License-Identifier: Apache-2.0
import pytest

import traced


def pytest_collection_modifyitems(items):
    needed = [traced.LIBRARY, traced.TOOL, traced.CUPTI, traced.PROGRAMS / "routes"]
    missing = [str(p) for p in needed if not p.exists()]
    if missing:
        pytest.exit("not built (make all fakes): " + ", ".join(missing), returncode=2)


@pytest.fixture
def run(tmp_path):
    """run(PROGRAM, ...) in a directory of this test; a second one gets another directory."""
    count = iter(range(100))

    def go(*args, **kwargs):
        return traced.run(tmp_path / f"run{next(count)}", *args, **kwargs)

    return go
