"""Checks that every relative link of a Markdown file leads somewhere: check-links.py FILE"""
import os
import re
import sys

page = sys.argv[1]
links = re.findall(r"\]\(([^)#]+)\)", open(page, encoding="utf-8").read())
missing = [link for link in links if "://" not in link and not os.path.exists(os.path.join(os.path.dirname(page), link))]
assert links
sys.exit(f"missing: {missing}" if missing else 0)
