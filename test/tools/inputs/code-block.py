"""Prints the first code block of a language in a Markdown file: code-block.py FILE LANGUAGE"""
import re
import sys

print(re.search(rf"^```{sys.argv[2]}\n(.*?)^```", open(sys.argv[1], encoding="utf-8").read(), re.MULTILINE | re.DOTALL).group(1))
