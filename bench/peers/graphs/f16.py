"""text.onnx and vision.onnx in float16, arithmetic included, as the usual converters make them: float32 in and out.

Weights are the checkpoint's data in float16, without its header: element offsets stay what they were.
python3 f16.py (pip install onnx)
"""
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper

here = pathlib.Path(__file__).parent
data_start = 45_168  # 8 + the header of the full-size checkpoint

for tower in ("text", "vision"):
    model = onnx.load(here / f"{tower}.onnx", load_external_data=False)
    graph = model.graph
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT:
            continue
        tensor.data_type = TensorProto.FLOAT16
        if not tensor.external_data:
            tensor.raw_data = np.frombuffer(tensor.raw_data, np.float32).astype(np.float16).tobytes()
            continue
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = "model.f16"
            elif entry.key == "offset":
                entry.value = str((int(entry.value) - data_start) // 2)
            elif entry.key == "length":
                entry.value = str(int(entry.value) // 2)
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = TensorProto.FLOAT16
    for value in graph.input:
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            for node in graph.node:
                node.input[:] = [f"{name}_f16" if name == value.name else name for name in node.input]
            graph.node.insert(0, helper.make_node("Cast", [value.name], [f"{value.name}_f16"], to=TensorProto.FLOAT16))
    for value in graph.output:
        for node in graph.node:
            node.output[:] = [f"{name}_f16" if name == value.name else name for name in node.output]
        graph.node.append(helper.make_node("Cast", [f"{value.name}_f16"], [value.name], to=TensorProto.FLOAT))
    del graph.value_info[:]
    (here / f"{tower}-f16.onnx").write_bytes(model.SerializeToString())
