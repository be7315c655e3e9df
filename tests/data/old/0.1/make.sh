#!/usr/bin/env bash
# What a program leaves of this version: a run that was stopped in its middle, and a study with half its runs
# done. tests/loop/old_files.py has the present program go on with both.
#
#   make.sh PROGRAM OUT
set -euo pipefail
program=$(realpath "$1") here=$(realpath "$(dirname "${BASH_SOURCE[0]}")") out=$2
export OMP_NUM_THREADS=1
mkdir -p "$out"
cd "$out"
"$program" train --quiet --out run --data digits --model convnet --width 0.0625 --full 60it --batch-size 128 \
  --base-lr 0.05 --precision fp32 --threads 1 --val 20% --eval-every 1ep --checkpoint-every 30it --keep-checkpoints 9 \
  --measure 'grad-norm-online(peek=5)@every=10it'
# As it was behind update 30: what its metrics had more, a run that goes on cuts off.
rm -r run/tensorboard run/{summary.json,model.safetensors,best.safetensors,checkpoint/step-000000060.safetensors}
"$program" study "$here/study.toml" --out study --quiet --set 'schedule=[linear]'
rm -r study/runs/*/{tensorboard,log.txt} study/table.* study/results.csv
