"""make-recurrent-lm.py OUT CELL LAYERS WIDTH [PROJECTION]: a language model of torch's form with random weights: `rnn`, `lstm` or `gru`."""
import json
import os
import random
import struct
import sys

out, cell = sys.argv[1:3]
layers, width = int(sys.argv[3]), int(sys.argv[4])
projection = int(sys.argv[5]) if len(sys.argv) > 5 else 0
vocab, embedding = 61, 37
gates = {"rnn": 1, "gru": 3, "lstm": 4}[cell]
result = projection or width
shapes = {"encoder.weight": [vocab, embedding], "decoder.weight": [vocab, result], "decoder.bias": [vocab]}
for layer in range(layers):
    shapes[f"rnn.weight_ih_l{layer}"] = [gates * width, result if layer else embedding]
    shapes[f"rnn.weight_hh_l{layer}"] = [gates * width, result]
    shapes[f"rnn.bias_ih_l{layer}"] = shapes[f"rnn.bias_hh_l{layer}"] = [gates * width]
    if projection:
        shapes[f"rnn.weight_hr_l{layer}"] = [projection, width]
random.seed(11)
header, body = {}, b""
for name, shape in shapes.items():
    count = shape[0] * (shape[1] if len(shape) > 1 else 1)
    data = struct.pack(f"<{count}f", *(random.uniform(-0.2, 0.2) for _ in range(count)))
    header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
    body += data
os.makedirs(out, exist_ok=True)
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
with open(os.path.join(out, "model.safetensors"), "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + body)
config = {"model_type": f"{cell}-lm", "architectures": ["RnnLM"], "vocab_size": vocab, "embedding_size": embedding, "hidden_size": width,
          "num_layers": layers, "tie_weights": False}
if projection:
    config["proj_size"] = projection
json.dump(config, open(os.path.join(out, "config.json"), "w"))
