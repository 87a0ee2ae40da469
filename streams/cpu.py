"""Sets up numpy for the processor before it is loaded: AMD's Zen 4 sorts four times as fast without AVX-512.

numpy sorts with x86-simd-sort, which packs numbers by a store that Zen 4 emulates in microcode (AMD's optimization
guide for Zen 4, 57647, 2.11.2: avoid the memory form of COMPRESS; numpy/x86-simd-sort issue 6). Intel's processors
and Zen 5 have no such fault. Nothing that is computed changes.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

NUMPY_VARIABLE: Final = (
    "NPY_DISABLE_CPU_FEATURES"  # numpy reads it when it is loaded; what the operator set stands
)
_SLOW: Final = "X86_V4 AVX512_ICL"  # the groups of features, as numpy names them, that such a processor has
_CPUS: Final = Path("/proc/cpuinfo")


def configure_numpy(environment: MutableMapping[str, str]) -> None:
    """Have numpy sort without AVX-512 where that is slower; to be called before anything imports numpy."""
    if NUMPY_VARIABLE in environment:
        return
    try:
        with _CPUS.open(encoding="utf-8", errors="replace") as stream:
            cpuinfo = stream.read(8192)
    except OSError:  # no Linux
        return
    if sorts_slowly(cpuinfo):
        environment[NUMPY_VARIABLE] = _SLOW


def sorts_slowly(cpuinfo: str) -> bool:
    """Whether the first processor of a ``/proc/cpuinfo`` is a Zen 4: AMD's family 25 (19h) with AVX-512."""
    first, _, _ = cpuinfo.partition("\n\n")
    pairs = [line.partition(":") for line in first.splitlines()]
    facts = {name.strip(): value.strip() for name, _, value in pairs}
    flags = facts.get("flags", "").split()
    return (
        facts.get("vendor_id") == "AuthenticAMD"
        and facts.get("cpu family") == "25"
        and "avx512_vbmi2" in flags
    )
