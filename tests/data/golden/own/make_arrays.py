# Makes npy/: arrays as numpy.save() writes them, of every type that is read and some that are refused. Element i is
# 3 i - 5 in signed types and floats, 3 i in unsigned ones, i odd in bool. Run: python3 make_arrays.py
from pathlib import Path

import numpy as np

folder = Path(__file__).parent / "npy"
folder.mkdir(exist_ok=True)
for name in ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "float16", "float32", "float64"):
    i = np.arange(12).reshape(2, 3, 2)
    values = i % 2 == 1 if name == "bool" else 3 * i if name[0] == "u" else 3 * i - 5
    np.save(folder / f"{name}.npy", values.astype(name))
np.save(folder / "large.npy", np.array([0, 40000, 65535], np.uint16))
np.save(folder / "scalar.npy", np.float32(4))
np.save(folder / "none.npy", np.zeros((0, 5), np.float32))
np.save(folder / "big-endian.npy", np.arange(3, dtype=">f4"))
np.save(folder / "fortran.npy", np.asfortranarray(np.arange(6.0).reshape(2, 3)))
np.save(folder / "complex.npy", np.arange(3, dtype=np.complex64))
np.lib.format.write_array(open(folder / "version3.npy", "wb"), np.arange(4, dtype=np.int32), version=(3, 0))
