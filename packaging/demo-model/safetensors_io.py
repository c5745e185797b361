"""Writes and reads safetensors files of bf16 tensors.

Format: u64 little-endian header length, a JSON header {name: {dtype, shape, data_offsets}}, then
the raw data.
"""

import json
import pathlib
import struct

import numpy as np
import torch

# The format's own reader maps the file; 8 bytes keep every tensor aligned for it.
_HEADER_ALIGNMENT = 8


def save(path: pathlib.Path, tensors: dict[str, torch.Tensor]) -> None:
    """Writes `tensors` rounded to bf16, in name order."""
    header: dict = {"__metadata__": {"format": "pt"}}
    blobs = []
    offset = 0
    for name in sorted(tensors):
        tensor = tensors[name].detach().to(torch.bfloat16).contiguous()
        blob = tensor.view(torch.int16).numpy().astype("<i2").tobytes()
        header[name] = {
            "dtype": "BF16",
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + len(blob)],
        }
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _HEADER_ALIGNMENT)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)))
        file.write(text)
        for blob in blobs:
            file.write(blob)


def load(path: pathlib.Path) -> dict[str, torch.Tensor]:
    """The tensors of a file written by save(), as fp32: exact, bf16 is the upper half of fp32."""
    data = path.read_bytes()
    (header_size,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + header_size])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        if entry["dtype"] != "BF16":
            raise ValueError(f"{path}: tensor {name} has dtype {entry['dtype']}, expected BF16")
        begin, end = (8 + header_size + offset for offset in entry["data_offsets"])
        upper = np.frombuffer(data[begin:end], dtype="<u2").astype(np.uint32)
        tensors[name] = torch.from_numpy(
            (upper << 16).view(np.float32).reshape(entry["shape"]).copy()
        )
    return tensors
