"""The command line: python -m neurosym_lite list | train | train-queue | sample | infer | evaluate | data.

Exit status: 0 done, 2 bad arguments or input (one line on standard error), 130 interrupted with the work saved.

A command is imported when it is run: torch takes seconds, in which help and complaints are given, and Ctrl-C is heard.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NoReturn

from neurosym_lite.commands.numbers import not_negative, positive
from neurosym_lite.commands.says import say

NAME = "a recipe with a shipped checkpoint, a checkpoint file, or a run's folder"
SIDE = "canvas side in pixels (default 128, the paper's; the lite and short recipes need --size 64)"
SWEEPS = "pseudo-Gibbs sweeps, for models that have them"
UNMEASURED = "leave a finished run's metrics to `python -m scripts.measure_again`: a GPU need not wait for them"
ENGINES = ("eager", "graph", "compile")  # training.step.ENGINES
METRICS = (
    "detection", "reconstruction", "binding", "structure", "sweeps", "likelihood", "relaxed", "d_steps", "frechet",
    "second", "what", "layers", "recall", "strokes", "stop_noise", "transfer", "transfer_likelihood", "samples",
    "clusters", "one_shot",
)  # fmt: skip  # evaluation.evaluate.METRICS
IMAGES = "train on images of your own: key images, uint8 or floats in [0, 1], of the size that the recipe has"
GLYPHS = "handwriting to test on, for metrics of held-out images (default: the recipe's)"
# evaluation.evaluate.FEWER, OWN_NUMBER
N = "images; relaxed and stop_noise take fewer, and d_steps, samples, clusters and one_shot have a number of their own"
FOUND = """keys of the output, for N images:
  GNM, SPACE    present (N, slots), boxes (N, slots, 4) as x0, y0, x1, y1 in pixels, recon (N, C, H, W)
  DooD          on (N, T), steps (N, T, H, W), recon; points (N, T, P, 2), radius and softness (N, T) in pixels
  AIR           on, steps, recon; where and what of each part
  VAE           latent_mean, latent_std, recon
  ConvDRAW      latent_mean, recon
  GENESIS       masks, recon
  successor     tokens, recon"""


def _command(module: str, name: str) -> Callable[[argparse.Namespace], int]:
    """A function of `neurosym_lite.commands`, imported when it is called."""

    def run(options: argparse.Namespace) -> int:
        """Do it, and return the exit status."""
        return getattr(import_module(f"neurosym_lite.commands.{module}"), name)(options)

    return run


class OneLineParser(argparse.ArgumentParser):
    """A parser whose complaints are one line long."""

    def error(self, message: str) -> NoReturn:
        """Print the complaint and leave with status 2."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _add_train(verbs: argparse._SubParsersAction) -> None:
    train = verbs.add_parser("train", help="train a recipe, or go on with it")
    train.add_argument("recipe", metavar="RECIPE", help="a name from `list`")
    train.add_argument("--images", metavar="FILE.npz", help=IMAGES)
    train.add_argument("--minutes", type=positive(float), help="stop after this much wall time, saved")
    train.add_argument("--steps", type=positive(int), help="stop at this step (default: the recipe's)")
    train.add_argument("--seed", type=not_negative, help="default: the recipe's")
    train.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    train.add_argument("--threads", type=positive(int), default=1, help="CPU threads (default 1)")
    train.add_argument("--out", metavar="DIR", help="where state, checkpoint and record go (default runs/RECIPE)")
    train.add_argument("--keep", type=positive(int), metavar="N", help="keep a checkpoint every N steps, in OUT/kept")
    train.add_argument("--keep-last", type=positive(int), metavar="K", help="of these, only the K newest")
    train.add_argument("--keep-best", metavar="METRIC", help="and the best, in OUT/best.safetensors")
    train.add_argument("--batch", type=positive(int), help="images a step, over all ranks (default: the recipe's)")
    train.add_argument("--rate", type=positive(float), default=1.0, help="times the recipe's learning rate")
    train.add_argument(
        "--engine", choices=["auto", *ENGINES], default="auto", help="auto: graph on a GPU, eager elsewhere"
    )
    train.add_argument("--unmeasured", action="store_true", help=UNMEASURED)
    train.add_argument("--resume", action="store_true", help="go on from the state in DIR, if there is one")
    train.set_defaults(run=_command("train", "train"))


def _add_train_queue(verbs: argparse._SubParsersAction) -> None:
    queue = verbs.add_parser("train-queue", help="train the recipes of a list, several at once")
    queue.add_argument("file", metavar="FILE", help="the list: data/queue.json is the book's")
    queue.add_argument("--minutes", type=positive(float), help="stop all after this much wall time, saved")
    queue.add_argument("--jobs", type=positive(int), default=1, help="runs at a time (default 1)")
    queue.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    queue.add_argument("--engine", choices=["auto", *ENGINES], default="auto", help="as for train")
    queue.add_argument("--unmeasured", action="store_true", help=UNMEASURED)
    queue.add_argument("--out", metavar="DIR", default="runs", help="folder of the runs' folders (default runs)")
    queue.set_defaults(run=_command("train_queue", "train_queue"))


def _add_sample_and_infer(verbs: argparse._SubParsersAction) -> None:
    sample = verbs.add_parser("sample", help="images from a trained model's prior")
    sample.add_argument("name", metavar="NAME", help=NAME)
    sample.add_argument("--n", type=positive(int), default=1000)
    sample.add_argument("--seed", type=not_negative, default=0)
    sample.add_argument("--sweeps", type=not_negative, default=0, help=SWEEPS)
    sample.add_argument("--out", required=True, metavar="FILE", help="FILE.npz (key images) or FILE.png")
    sample.set_defaults(run=_command("models", "sample"))
    infer = verbs.add_parser(
        "infer",
        help="what a trained model sees in images",
        epilog=FOUND,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    infer.add_argument("name", metavar="NAME", help=NAME)
    infer.add_argument("--images", required=True, metavar="FILE.npz", help="key images: uint8, or floats in [0, 1]")
    infer.add_argument("--out", required=True, metavar="FILE.npz")
    infer.set_defaults(run=_command("models", "infer"))


def _add_evaluate(verbs: argparse._SubParsersAction) -> None:
    evaluate = verbs.add_parser("evaluate", help="metrics of a trained model on held-out data")
    evaluate.add_argument("name", metavar="NAME", help=NAME)
    groups = f"groups of metrics with commas between, of: {', '.join(METRICS)} (default: the quick ones)"
    evaluate.add_argument("--metrics", default="", help=groups)
    evaluate.add_argument("--n", type=positive(int), default=1000, help=N)
    evaluate.add_argument("--seed", type=not_negative, default=0)
    evaluate.add_argument("--sweeps", type=not_negative, default=0, help=SWEEPS)
    evaluate.add_argument("--glyphs", help=GLYPHS)
    evaluate.add_argument("--json", action="store_true", help="one JSON object on standard output")
    evaluate.set_defaults(run=_command("models", "evaluate"))


def _add_data(verbs: argparse._SubParsersAction) -> None:
    data = verbs.add_parser("data", help="character sets and scenes").add_subparsers(
        required=True, metavar="list|fetch|scenes|arrow-room", parser_class=OneLineParser
    )
    listing = data.add_parser("list", help="character sets and whether each is at hand")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=_command("data", "data_list"))
    fetch = data.add_parser("fetch", help="download a character set")
    fetch.add_argument("name", metavar="NAME")
    fetch.set_defaults(run=_command("data", "data_fetch"))
    scenes = data.add_parser("scenes", help="scenes that obey a rule, with their ground truth")
    scenes.add_argument("rule", metavar="RULE", help="mnist4, mnist10, mnist4-10 or mnist1")
    scenes.add_argument("--n", type=positive(int), required=True)
    scenes.add_argument("--size", type=positive(int), default=64, help="canvas side in pixels")
    scenes.add_argument("--glyphs", default="digits")
    scenes.add_argument("--split", choices=["train", "test"], default="test")
    scenes.add_argument("--seed", type=not_negative, default=0)
    scenes.add_argument("--out", required=True, metavar="FILE.npz", help="keys images, boxes, labels, present")
    scenes.set_defaults(run=_command("data", "data_scenes"))
    rooms = data.add_parser("arrow-room", help="rooms with an arrow that points at the odd one out")
    rooms.add_argument("--n", type=positive(int), required=True)
    rooms.add_argument("--size", type=positive(int), default=128, help=SIDE)
    rooms.add_argument("--shapes", help="with commas between, of sphere,cube,cylinder (default: these) and cone")
    rooms.add_argument("--colours", help="of all four, with commas between (default: CLEVR's eight)")
    rooms.add_argument("--seed", type=not_negative, default=0)
    rooms.add_argument("--out", required=True, metavar="FILE.npz", help="images, boxes, labels, present, masks, ...")
    rooms.set_defaults(run=_command("data", "data_arrow_room"))


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = OneLineParser(prog="python -m neurosym_lite", description="Neuro-symbolic generative models.")
    verbs = top.add_subparsers(
        required=True, metavar="list|train|train-queue|sample|infer|evaluate|data", parser_class=OneLineParser
    )
    listing = verbs.add_parser("list", help="recipes, shipped checkpoints, data sets")
    listing.add_argument("--json", action="store_true", help="one JSON object on standard output")
    listing.set_defaults(run=_command("data", "list_all"))
    _add_train(verbs)
    _add_train_queue(verbs)
    _add_sample_and_infer(verbs)
    _add_evaluate(verbs)
    _add_data(verbs)
    return top


def out_of_memory(error: Exception) -> bool:
    """On a CPU torch has no kind of error for it, only words."""
    import torch  # it is at work by then

    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status."""
    try:
        options = parser().parse_args(arguments)
        status = options.run(options)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    except BrokenPipeError:  # the reader of `list | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python flushes at its end
        return 0
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        say("neurosym_lite: not enough memory: ask for fewer or smaller images")
        return 2
    except (ValueError, OSError, FloatingPointError, ImportError) as error:
        line = " ".join(str(error).split()) or type(error).__name__
        say(f"neurosym_lite: {line}")
        return 2


if __name__ == "__main__":
    sys.exit(main())
