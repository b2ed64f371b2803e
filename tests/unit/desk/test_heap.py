"""What a burst takes of the machine's memory goes back, in processes of their own."""

import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")

LEFT_MOST_MB = 5.0
MEASURE = """
import sys
import threading
from desk.residents.heap import give_back, keep_heap_small
is_kept_small = sys.argv[1] == "kept small" and keep_heap_small()

def memory_mb():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
"""
BURST_OF_FOUR_THREADS = """
stays = []

def burst():
    texts = [b"." * 30_000 for _ in range(600)]
    stays.append(texts.pop())  # one small text behind all the others

before = memory_mb()
threads = [threading.Thread(target=burst) for _ in range(4)]
for each in threads:
    each.start()
    each.join()
if is_kept_small:
    give_back()
print(memory_mb() - before)
"""
LARGE_TEXTS = """
before = memory_mb()
for _ in range(2):
    text = b"." * 20_000_000
    stays = b"." * 30_000
    del text
print(memory_mb() - before)
"""


def left_of(burst: str, how: str) -> float:
    """Megabytes that are not given back."""
    command = [sys.executable, "-c", MEASURE + burst, how]
    return float(subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout)


@pytest.mark.parametrize("burst", [BURST_OF_FOUR_THREADS, LARGE_TEXTS])
def test_a_burst_leaves_little_behind(burst: str) -> None:
    """As the C library comes it keeps most of it, so the measure can tell."""
    assert left_of(burst, "as it comes") > 2 * LEFT_MOST_MB
    assert left_of(burst, "kept small") < LEFT_MOST_MB
