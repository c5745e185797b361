"""Writes the mean of two trainings of one model: their wrong answers differ, their right ones agree.

    average.py FIRST SECOND OUT      model directories; tokenizer and config come from FIRST
"""

import pathlib
import shutil
import sys

import safetensors_io


def main() -> None:
    first, second, out = (pathlib.Path(argument) for argument in sys.argv[1:4])
    ours, theirs = (safetensors_io.load(path / "model.safetensors") for path in (first, second))
    if {name: t.shape for name, t in ours.items()} != {name: t.shape for name, t in theirs.items()}:
        raise SystemExit(f"{first} and {second} hold tensors of different names or shapes")
    shutil.copytree(first, out, dirs_exist_ok=True)
    safetensors_io.save(out / "model.safetensors", {name: (ours[name] + theirs[name]) / 2 for name in ours})


if __name__ == "__main__":
    main()
