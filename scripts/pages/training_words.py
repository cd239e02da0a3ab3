"""The words of the page on training. Numbers that were counted or estimated are filled in by `training_page`."""

TOP = """# Training: long runs, GPUs, many machines

Colab sessions end, laptops sleep, clusters have time limits. So a run here can be stopped at any moment and loses at
most a few seconds. This page says how, what a GPU changes, and what many of them would.

## A run in windows

```bash
python -m neurosym_lite train gnm-mnist4 --minutes 9 --resume
```

This trains for nine minutes, saves, and ends. The same command goes on from there, on a CPU bit by bit as if it had
never stopped; on a GPU as nearly as its kernels repeat themselves. Ctrl-C and SIGTERM also finish the step and save. A
second process in the same folder is refused. In the run's folder, `runs/gnm-mnist4`, lie:

| file | what it is |
|---|---|
| `state.safetensors` | everything the run goes on from: weights, averages, Adam's moments, generators |
| `checkpoint.safetensors` | the model, half precision; what `sample`, `infer` and `evaluate` take, by its name or its \
folder's |
| `record.json` | the {term}`run record`; its metrics are measured when the last step is done |
| `kept/`, `best.safetensors` | with `--keep 5000 --keep-last 3 --keep-best structure_accuracy`: a checkpoint every \
5,000 steps, of these the newest three, and the best by that metric on 200 held-out images (the number that chose it \
is a little too good, so measure it anew) |

The state is saved at once after the first step, then every five seconds, or more seldom where it is so large that
saving would take more than a fiftieth of the time. Each file is written beside its place and renamed: a kill leaves the
old one or the new one.

## A list of runs

```bash
cp data/queue.json my_queue.json
python -m neurosym_lite train-queue my_queue.json --minutes 9 --jobs 4
```

This works down a list, four runs at a time, each in a process of its own with its own log. Where one ends early the
next begins with the time that is left. Where there are several GPUs they are given out in turn. The list is a JSON
file, a run a line: reorder it by hand, add a seed. After each window the command writes into it how far each run has
got, hence the copy. Ctrl-C stops all of them, saved; so does the end of the command itself, even by `kill -9`. The
minutes are those of training: a run that comes to its last step is then measured, which takes more. The book's own
list, and what is still missing, is in `data/results/TRAINING.md`. Most of its runs need
`python -m neurosym_lite data fetch mnist`.

## On a GPU

Nothing changes but `--device cuda`, and a GPU that PyTorch sees is used anyway. These models are small networks with
many small parts. <OPERATIONS> Launched one by one, the processor is the bottleneck and the GPU waits. So a step is
recorded once as a CUDA graph and replayed: `--engine graph`, the default on a GPU. `--engine eager` turns that off.
`--engine compile` compiles the loss first; that takes a minute or more and is worth it for long runs alone.

A graph has no host in it. Schedules, learning rate and batch are tensors that are filled before each replay, noise
comes from the GPU's own generator, and no branch looks at a value. The tests hold every recipe to that, without a GPU:
a step has to be the same list of operations whatever the images are, none of them may read a value, and loss and
gradient have to run on PyTorch's meta device, where there are no values at all. Drawing a batch may read none either.

A test compares the losses of both wherever there is a GPU. How fast they are was measured on one <DEVICE>, at a batch
of <BATCH>, batches included: `python -m benchmarks.gpu` writes `data/results/gpu.json`.

<ENGINES>
A GPU that one such run keeps waiting has room for more. <AT_ONCE><TO_THE_END>

The model of the paper's size that is trained soonest is `gnm-staged-mnist4`: <STAGED>.

The metrics of a finished run are measured on the processor and take minutes. `--unmeasured` leaves them out, so that no
GPU waits:

```bash
python -m neurosym_lite train-queue my_queue.json --minutes 9 --jobs 8 --unmeasured
```

Then copy each `record.json` and `checkpoint.safetensors` home, and `python -m scripts.measure_again` fills the record.

## Several processes, several machines

```bash
torchrun --nproc-per-node 4 -m neurosym_lite train gnm-mnist4 --minutes 55 --resume
```

Four processes train one model by PyTorch's DistributedDataParallel. Each has noise and data of its own, and each draws
its share of the recipe's batch: four ranks make the steps that one would make, with the same batch. One of them writes
state, checkpoint and record. A stopped run goes on with any number of ranks that divides the batch. With two ranks it
is bit by bit the unbroken run; with more, gradients are added up in another order after a stop, and the last digits
differ. Each rank runs eagerly, without a graph.

On a SLURM cluster, with two machines of four GPUs:

```bash
#!/bin/bash
#SBATCH --nodes=2 --ntasks-per-node=1 --gpus-per-node=4 --cpus-per-task=16
#SBATCH --time=01:00:00
#SBATCH --signal=TERM@120

head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
srun torchrun --nnodes "$SLURM_NNODES" --nproc-per-node 4 \\
     --rdzv-backend c10d --rdzv-endpoint "$head:29500" --rdzv-id "$SLURM_JOB_ID" \\
     -m neurosym_lite train gnm-mnist4 --batch 512 --rate 2.8 \\
     --minutes 55 --resume --out "$SCRATCH/gnm-mnist4"
```

`--out` has to be a folder that all machines see. Submit the same script again and again, as a chain of jobs: each goes
on where the last one stopped. `--batch` and `--rate` belong to the run: give the same each time, others are refused.

## Which batch, which learning rate

`--batch` is the joint batch over all ranks; `--rate` multiplies the recipe's learning rates. With Adam, a batch $k$
times as large is commonly given a rate $\\sqrt{k}$ times as high: the gradient's noise falls by $\\sqrt{k}$, and
Adam divides by its size. Steps and schedules stay those of the recipe, so a run with eight times the batch sees eight
times the images. Go up by steps of four and look at the curve of the loss: where a larger batch no longer lowers it
for the same number of steps, it only costs. We have not measured where that is for these models.

## What many GPUs would bring, on paper

An estimate, not a measurement. A step takes as long as launching its operations or doing its arithmetic, whichever is
longer, and then the time to add up all gradients in a ring, none of it hidden. What an operation costs is that of the
paper-size steps above: <MEASURED>. Assumed are <ASSUMPTIONS>.

"""

BELOW = """
At its own batch neither recipe gains from more GPUs: each of them still launches every operation, and one GPU with a
graph is ahead of them all. The best use of eight GPUs is therefore eight runs at once: seeds, ablations, data
sets. `train-queue --jobs 8` gives each a GPU of its own. One model on many GPUs pays where the batch grows with
them.

## When something goes wrong

| what happens | what the run does |
|---|---|
| loss or gradient is NaN or Inf | stops, exit status 2; the line names the step, the broken term, the file with the \
batch that did it (`bad_batch.npz`, which `infer` reads where it holds images) and the last good state |
| the disk is full, the folder cannot be written | stops with one line; the files from before are whole |
| a file is damaged or half written | is refused with one line: every file carries a checksum of its content |
| recipe, seed, batch or device changed | is refused with one line that says which, what it was, and what to do |
| another PyTorch than the one it was begun with | a warning, and the run goes on |
| the state is gone, checkpoint or record is still there | is refused with one line: nothing is written over them |
| killed | goes on from the last save |

No pickle is ever loaded. Two programs look for what this table promises and does not keep:

```bash
python -m scripts.kill_runs --kills 100   # SIGKILL at random moments
python -m scripts.fuzz_files --n 1000     # damaged checkpoints, states and data
```

After any number of kills the final weights have to be the same bits, and each damaged file has to be refused in one
clear line.
"""
