"""The BLAS that NumPy loaded."""

from __future__ import annotations

from functools import cache

import threadpoolctl


@cache
def blas_info() -> dict[str, str]:
    """What threadpoolctl finds of it: name, version, threads, architecture."""
    pools = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
    own = [pool for pool in pools if "numpy" in pool["filepath"]] or pools
    if not own:
        return {"name": "unknown_blas"}
    pool = own[0]
    return {
        "name": str(pool["internal_api"]),
        "version": str(pool["version"]),
        "threads": str(pool["num_threads"]),
        "architecture": str(pool.get("architecture", "")),
    }
