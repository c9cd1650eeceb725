#!/bin/sh
# A fixture's checkpoint with a small tokenizer, compiled: make-text-model.sh CHECKPOINT OUT makes OUT and OUT.bundle.
set -e
inputs=$(dirname "$0")
rm -rf "$2" "$2.bundle"
mkdir "$2"
cp "$1"/config.json "$1"/model.safetensors "$2"
cp "$inputs/tiny-vocab.txt" "$2/vocab.txt"
cp "$inputs/tiny-tokenizer_config.json" "$2/tokenizer_config.json"
sesame compile "$2" -o "$2.bundle"
