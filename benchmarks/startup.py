"""How long the window and the dock take to open: the medians of several fresh processes.

Run by hand: `xvfb-run -a python benchmarks/startup.py [--runs 5]`. Prints seconds, and the dock's share of the whole.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys

ONE_RUN = """
import json, sys, time
begin = time.perf_counter()
import napari
viewer = napari.Viewer()
window = time.perf_counter()
dock, bench = viewer.window.add_plugin_dock_widget("napari-vol3d", "Vol3D")
from qtpy.QtWidgets import QApplication
QApplication.processEvents()
done = time.perf_counter()
assert "tensorflow" not in sys.modules and "keras" not in sys.modules
print(json.dumps({"window": window - begin, "dock": done - window}))
bench.let_go()
viewer.close()
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    runs = []
    for _ in range(parser.parse_args().runs):
        finished = subprocess.run([sys.executable, "-c", ONE_RUN], check=True, capture_output=True, text=True)
        runs.append(json.loads(finished.stdout.splitlines()[-1]))
    window, dock = (statistics.median(run[key] for run in runs) for key in ("window", "dock"))
    sys.stdout.write(
        f"window {window:.2f} s, dock {dock:.2f} s ({dock / (window + dock):.0%} of both), median of {len(runs)}\n"
    )


if __name__ == "__main__":
    main()
