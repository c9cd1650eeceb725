"""Counts the boxes and frames of a picture, and checks that no two boxes overlap and none lies outside: check-svg.py FILE"""
import sys
import xml.etree.ElementTree as ElementTree

root = ElementTree.parse(sys.argv[1]).getroot()
rects = [r.attrib for r in root.iter("{http://www.w3.org/2000/svg}rect")]
boxes = [tuple(int(r[k]) for k in ("x", "y", "width", "height")) for r in rects if r.get("class") in ("plain", "weighted", "end")]
for i, (x, y, w, h) in enumerate(boxes):
    assert x >= 0 and y >= 0 and x + w <= int(root.get("width")) and y + h <= int(root.get("height")), boxes[i]
    for u, v, a, b in boxes[:i]:
        assert x >= u + a or u >= x + w or y >= v + b or v >= y + h, (boxes[i], (u, v, a, b))
print(f"boxes {len(boxes)}, frames {sum(r.get('class') == 'loop' for r in rects)}")
