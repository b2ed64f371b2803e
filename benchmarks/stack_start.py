"""Start-up of the embedded stack and load time of the code location, beside what Dagster itself costs in the
same run.

Aims: the stack up in 20 s, the code location loaded in 3 s. Ratios stand beside the seconds because the
machine is shared: `import dagster` in a fresh interpreter is the floor of the one, `dagster --version` and
the three bare imports that Dagster's processes make are the floor of the other.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 3
STACK_AIM_S = 20.0
LOAD_AIM_S = 3.0
SCRIPTS = Path(sys.executable).parent
ADDRESSES = ("CLICKHOUSE_URL", "CLICKHOUSE_READER_URL", "REDIS_URL", "DAGSTER_URL")
LOAD = "import orchestration.definitions as location; location.defs().get_repository_def()"


def main() -> int:
    """Measure, print one JSON object; 1 when an aim is missed."""
    with tempfile.TemporaryDirectory(prefix="desk-bench-") as folder:
        kept = {name: value for name, value in os.environ.items() if name not in ADDRESSES}
        environment = {**kept, "DESK_HOME": folder, "PYTHONWARNINGS": "ignore"}
        run([sys.executable, "-c", LOAD], environment)  # byte code and file cache
        bare = [run([sys.executable, "-c", "import dagster"], environment) for _ in range(ROUNDS)]
        load = [run([sys.executable, "-c", LOAD], environment) for _ in range(ROUNDS)]
        version = [run([str(SCRIPTS / "dagster"), "--version"], environment) for _ in range(ROUNDS)]
        starts, stops = [], []
        for _ in range(ROUNDS):
            starts.append(run([str(SCRIPTS / "desk"), "up"], environment))
            stops.append(run([str(SCRIPTS / "desk"), "down"], environment))
    result = {
        "import_dagster_s": median(bare),
        "dagster_version_s": median(version),
        "code_location_s": median(load),
        "code_location_over_import_dagster": round(median(load) / median(bare), 2),
        "code_location_aim_s": LOAD_AIM_S,
        "stack_up_s": median(starts),
        "stack_up_worst_s": round(max(starts), 2),
        "stack_up_over_dagster_version": round(median(starts) / median(version), 2),
        "stack_up_aim_s": STACK_AIM_S,
        "stack_down_s": median(stops),
        "load_average": round(os.getloadavg()[0], 2),
        "cores": os.cpu_count(),
    }
    print(json.dumps(result, indent=1))
    return int(median(load) > LOAD_AIM_S or median(starts) > STACK_AIM_S)


def run(command: list[str], environment: dict[str, str]) -> float:
    """Seconds that a command took; a failure ends the benchmark with its words."""
    began = time.perf_counter()
    process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if process.returncode:
        sys.exit(f"{' '.join(command)}: {process.returncode}\n{process.stdout}\n{process.stderr}")
    return seconds


def median(values: list[float]) -> float:
    """To hundredths."""
    return round(statistics.median(values), 2)


if __name__ == "__main__":
    sys.exit(main())
