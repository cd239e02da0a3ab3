"""python -m benchmarks [--out FILE]: every benchmark, each beside its reference, as ratios; one CPU thread."""

import argparse
import json
from pathlib import Path

import torch

from benchmarks import drawing, pen, render, scenes, step


def main() -> None:
    """Run all, print a line each, and write them as JSON where asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    options = parser.parse_args()
    torch.set_num_threads(1)
    results = {
        "paste_sum": render.paste_sum_against_grid_sample(),
        "pen": pen.pen(),
        "scenes": scenes.scenes_per_second(),
        "step_ms": step.step_milliseconds(),
        "sample_1000_s": step.sampling_seconds(),
        "drawing_step_ms": drawing.step_milliseconds(),
        "fit": drawing.fit(),
    }
    print(json.dumps(results, indent=1))
    if options.out:
        options.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
