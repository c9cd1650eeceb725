"""lit: every .mlir, .test and .c file under test/ is a test, except under fixtures/ and inputs/.

Substitutions beyond lit's own:
  %fixtures   test/fixtures, small goldens and checkpoints
  %python     the Python 3 found by CMake (standard library only)
  %cc         the C compiler of the build
  %dialect    the folder of the dialect's .td files
  %include    runtime/include, for C tests of the public header
  %libdir     the build's library folder
  %runnerlibs `--shared-libs=` argument that gives mlir-runner its print and C support functions
  %{upstream-to-llvm}  the options that take linalg on tensors to the LLVM dialect by upstream's passes alone
"""

import os

import lit.formats

config.name = "Sesame"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test", ".c"]
config.excludes = ["fixtures", "inputs", "CMakeLists.txt"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.sesame_binary_dir, "test")

bin_dir = os.path.join(config.sesame_binary_dir, "bin")
lib_dir = os.path.join(config.sesame_binary_dir, "lib")
# FileCheck, not, count, split-file and the MLIR tools lie together in LLVM's own folder, not on PATH.
config.environment["PATH"] = os.pathsep.join([bin_dir, config.llvm_tools_dir, os.environ.get("PATH", "")])
config.environment["FILECHECK_OPTS"] = "--dump-input=fail --enable-var-scope"
# Python sources beside the tests leave no __pycache__ in the source tree.
config.environment["PYTHONDONTWRITEBYTECODE"] = "1"
for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "SESAME_CACHE_DIR", "HOME"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

runner_libs = [os.path.join(config.llvm_lib_dir, f"lib{name}.so")
               for name in ("mlir_runner_utils", "mlir_c_runner_utils", "mlir_float16_utils")]
upstream_to_llvm = """--convert-elementwise-to-linalg
  --one-shot-bufferize='bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map'
  --convert-linalg-to-loops --convert-scf-to-cf --expand-strided-metadata --lower-affine --convert-math-to-libm
  --finalize-memref-to-llvm --convert-arith-to-llvm --convert-index-to-llvm --convert-func-to-llvm --convert-cf-to-llvm
  --convert-ub-to-llvm --reconcile-unrealized-casts"""
config.substitutions += [
    ("%fixtures", os.path.join(config.test_source_root, "fixtures")),
    ("%python", config.python),
    # A program that links an instrumented library has to be instrumented.
    ("%cc", config.c_compiler + (" -fsanitize=address,undefined" if config.build_type == "Sanitize" else "")),
    ("%dialect", os.path.join(config.sesame_source_dir, "dialect", "include", "sesame", "Dialect")),
    ("%include", os.path.join(config.sesame_source_dir, "runtime", "include")),
    ("%libdir", lib_dir),
    ("%{upstream-to-llvm}", " ".join(upstream_to_llvm.split())),
    ("%runnerlibs", "--shared-libs=" + ",".join(runner_libs)),
]

if all(os.path.exists(path) for path in runner_libs):
    config.available_features.add("mlir-runner")
if config.build_type == "Sanitize":
    config.available_features.add("sanitize")
    # libMLIR.so is not instrumented: containers that cross into it look overflowed, and what its allocators hand out poisoned.
    config.environment["ASAN_OPTIONS"] = "detect_container_overflow=0:allow_user_poisoning=0"
    config.environment["UBSAN_OPTIONS"] = "print_stacktrace=1"
# Tests that run AVX-512 code, which every such machine can also run as AVX2.
try:
    with open("/proc/cpuinfo") as cpuinfo:
        flags = cpuinfo.read()
        if "avx512f" in flags:
            config.available_features.add("x86-avx512")
        if "avx512_vnni" in flags and "avx512_bf16" in flags:
            config.available_features.add("x86-avx512-words")
except OSError:
    pass
