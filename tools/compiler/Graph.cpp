//===- Graph.cpp - A picture of a model ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph.h"

#include <algorithm>
#include <cstdio>
#include <sstream>
#include <tuple>

namespace sesame {

namespace {

// Pixels. A box holds four lines of 11-pixel text.
constexpr int boxWidth = 236, boxGap = 28, lineHeight = 15, rankGap = 40, laneGap = 9, margin = 24,
              framePad = 14;

struct Box {
  int rank = 0, x = 0, y = 0, height = 0; // x: of the left edge
  std::vector<std::string> lines;
};

/// A connection that does not simply go to the next rank.
struct Lane {
  size_t from, to;
  bool isLeft;
  int column = 0;
};

class Drawing {
public:
  Drawing(const Dataflow &flow, int left, int top) : flow(flow), left(left), top(top) {}
  void layOut();
  void print(std::ostream &out) const;
  int width() const { return totalWidth; }
  int height() const { return totalHeight; }

private:
  void assignRanks();
  void assignLanes();
  int centre(const Box &box) const { return box.x + boxWidth / 2; }
  int portOf(size_t node, size_t producer) const;
  void printFrames(std::ostream &out) const;
  void printEdge(std::ostream &out, size_t from, size_t to) const;
  void printBox(std::ostream &out, size_t node) const;

  const Dataflow &flow;
  int left, top, numRanks = 0, firstX = 0, lastX = 0, totalWidth = 0, totalHeight = 0;
  std::vector<Box> boxes;
  std::vector<int> rankY, rankBottom;
  std::vector<Lane> lanes;
};

std::string escape(const std::string &text) {
  std::string result;
  for (char c : text)
    result += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
  return result;
}

std::string shorten(const std::string &text, size_t most) {
  return text.size() <= most ? text : text.substr(0, most - 3) + "...";
}

/// "h.attn.c_attn" for its weight and bias; else the names in a row.
std::string nameWeights(std::vector<std::string> weights) {
  std::string common;
  for (std::string &weight : weights) {
    const size_t dot = weight.rfind('.');
    const std::string stem = dot == std::string::npos ? weight : weight.substr(0, dot);
    if (common.empty())
      common = stem;
    else if (common != stem)
      common = "*";
  }
  if (common != "*")
    return common;
  std::string text;
  for (const std::string &weight : weights)
    text += (text.empty() ? "" : ", ") + weight;
  return text;
}

} // namespace

/// Nodes of one loop stay together: each run of nodes with the same loops is ranked by itself, below the one
/// before.
void Drawing::assignRanks() {
  int base = 0;
  for (size_t first = 0; first < flow.nodes.size();) {
    size_t last = first;
    auto belongs = [&](size_t node) {
      return flow.nodes[node].loops == flow.nodes[first].loops &&
             (flow.nodes[node].kind == Node::operation) == (flow.nodes[first].kind == Node::operation);
    };
    while (last < flow.nodes.size() && belongs(last))
      ++last;
    int deepest = base;
    for (size_t node = first; node < last; ++node) {
      int rank = base;
      for (size_t producer : flow.nodes[node].producers)
        if (producer >= first && producer < node)
          rank = std::max(rank, boxes[producer].rank + 1);
      boxes[node].rank = rank;
      deepest = std::max(deepest, rank);
    }
    base = deepest + 1;
    first = last;
  }
  numRanks = base;
}

void Drawing::assignLanes() {
  for (size_t node = 0; node < flow.nodes.size(); ++node)
    for (size_t producer : flow.nodes[node].producers)
      if (boxes[node].rank > boxes[producer].rank + 1)
        lanes.push_back({producer, node, flow.nodes[producer].kind == Node::input});
  // Short ones run nearest to the boxes.
  auto order = [&](const Lane &lane) {
    return std::make_tuple(boxes[lane.to].rank - boxes[lane.from].rank, lane.from, lane.to);
  };
  std::sort(lanes.begin(), lanes.end(), [&](const Lane &a, const Lane &b) { return order(a) < order(b); });
  for (size_t i = 0; i < lanes.size(); ++i) {
    bool isTaken = true;
    for (int column = 0; isTaken; ++column) {
      isTaken = std::any_of(lanes.begin(), lanes.begin() + i, [&](const Lane &other) {
        return other.isLeft == lanes[i].isLeft && other.column == column && other.from != lanes[i].from &&
               boxes[other.from].rank < boxes[lanes[i].to].rank &&
               boxes[lanes[i].from].rank < boxes[other.to].rank;
      });
      lanes[i].column = column;
    }
  }
}

void Drawing::layOut() {
  boxes.resize(flow.nodes.size());
  for (size_t i = 0; i < boxes.size(); ++i) {
    const Node &node = flow.nodes[i];
    std::vector<std::string> &lines = boxes[i].lines;
    lines.push_back(node.name);
    if (!node.weights.empty())
      lines.push_back(shorten(nameWeights(node.weights), 40));
    lines.push_back(shorten(node.type(), 40));
    if (node.kind == Node::operation && node.flops.constant().value_or(1) != 0)
      lines.push_back(shorten(node.flops.strRounded(), 34) + " flop");
    boxes[i].height = lineHeight * static_cast<int>(lines.size()) + 12;
  }
  assignRanks();
  assignLanes();
  int numLeft = 0, mostInRank = 1;
  for (const Lane &lane : lanes)
    numLeft = std::max(numLeft, lane.isLeft ? lane.column + 1 : 0);
  std::vector<std::vector<size_t>> ranks(numRanks);
  for (size_t i = 0; i < boxes.size(); ++i)
    ranks[boxes[i].rank].push_back(i);
  for (const auto &rank : ranks)
    mostInRank = std::max(mostInRank, static_cast<int>(rank.size()));
  firstX = left + numLeft * laneGap + 2 * framePad;
  lastX = firstX + mostInRank * boxWidth + (mostInRank - 1) * boxGap;
  int y = top + 34; // below the entry's name
  for (const auto &rank : ranks) {
    const int count = static_cast<int>(rank.size());
    int x = firstX + (lastX - firstX - count * boxWidth - (count - 1) * boxGap) / 2, deepest = 0;
    for (size_t i : rank) {
      boxes[i].x = x;
      boxes[i].y = y;
      x += boxWidth + boxGap;
      deepest = std::max(deepest, boxes[i].height);
    }
    rankY.push_back(y);
    rankBottom.push_back(y + deepest);
    y += deepest + rankGap;
  }
  int numRight = 0;
  for (const Lane &lane : lanes)
    numRight = std::max(numRight, lane.isLeft ? 0 : lane.column + 1);
  totalWidth = lastX + numRight * laneGap + 2 * framePad - left;
  totalHeight = y - top;
}

/// Where the connection from `producer` enters: spread over the middle of the box's upper edge.
int Drawing::portOf(size_t node, size_t producer) const {
  const std::vector<size_t> &producers = flow.nodes[node].producers;
  const auto at = std::find(producers.begin(), producers.end(), producer) - producers.begin();
  const auto count = static_cast<int>(producers.size());
  return centre(boxes[node]) + (2 * static_cast<int>(at) - (count - 1)) * 60 / (count + 1);
}

void Drawing::printFrames(std::ostream &out) const {
  for (size_t loop = 0; loop < flow.loops.size(); ++loop) {
    int y = 0, bottom = 0, depth = 0;
    for (size_t i = 0; i < boxes.size(); ++i) {
      const std::vector<size_t> &loops = flow.nodes[i].loops;
      const auto found = std::find(loops.begin(), loops.end(), loop);
      if (found == loops.end())
        continue;
      depth = static_cast<int>(found - loops.begin());
      y = y ? std::min(y, boxes[i].y) : boxes[i].y;
      bottom = std::max(bottom, rankBottom[boxes[i].rank]);
    }
    if (!bottom)
      continue;
    const int inset = framePad - 4 * depth;
    out << "<rect class='loop' x='" << firstX - inset << "' y='" << y - inset << "' width='"
        << lastX - firstX + 2 * inset << "' height='" << bottom - y + 2 * inset << "' rx='8'/>\n"
        << "<text class='count' x='" << firstX - inset + 8 << "' y='" << y - inset - 5 << "'>"
        << escape(flow.loops[loop].tripCount.str()) << " times</text>\n";
  }
}

void Drawing::printEdge(std::ostream &out, size_t from, size_t to) const {
  const Box &source = boxes[from], &target = boxes[to];
  const int startX = centre(source), startY = source.y + source.height, endX = portOf(to, from),
            endY = target.y;
  const auto lane = std::find_if(lanes.begin(), lanes.end(),
                                 [&](const Lane &each) { return each.from == from && each.to == to; });
  if (lane == lanes.end()) {
    const int bend = (endY - startY) / 2;
    out << "<path class='edge' d='M" << startX << " " << startY << " C" << startX << " " << startY + bend
        << " " << endX << " " << endY - bend << " " << endX << " " << endY << "'/>\n";
    return;
  }
  const int x = lane->isLeft ? firstX - 2 * framePad - lane->column * laneGap + 8
                             : lastX + 2 * framePad + lane->column * laneGap - 8;
  const int leave = rankBottom[source.rank] + 9, enter = target.y - 22;
  out << "<path class='edge " << (lane->isLeft ? "input" : "skip") << "' d='M" << startX << " " << startY
      << " V" << leave << " H" << x << " V" << enter << " H" << endX << " V" << endY << "'/>\n";
}

void Drawing::printBox(std::ostream &out, size_t node) const {
  const Box &box = boxes[node];
  const char *kind = flow.nodes[node].kind == Node::operation
                         ? (flow.nodes[node].weights.empty() ? "plain" : "weighted")
                         : "end";
  out << "<rect class='" << kind << "' x='" << box.x << "' y='" << box.y << "' width='" << boxWidth
      << "' height='" << box.height << "' rx='" << (flow.nodes[node].kind == Node::operation ? 4 : 14)
      << "'/>\n";
  for (size_t i = 0; i < box.lines.size(); ++i)
    out << "<text class='" << (i ? "detail" : "name") << "' x='" << centre(box) << "' y='"
        << box.y + lineHeight * static_cast<int>(i + 1) + 2 << "'>" << escape(box.lines[i]) << "</text>\n";
}

void Drawing::print(std::ostream &out) const {
  out << "<text class='entry' x='" << firstX << "' y='" << top + 12 << "'>" << escape(flow.entry)
      << "</text>\n";
  printFrames(out);
  for (size_t to = 0; to < boxes.size(); ++to)
    for (size_t from : flow.nodes[to].producers)
      printEdge(out, from, to);
  for (size_t node = 0; node < boxes.size(); ++node)
    printBox(out, node);
}

std::string drawGraph(const std::string &title, const std::vector<Dataflow> &entries) {
  std::ostringstream body;
  int x = margin, height = 0;
  for (const Dataflow &entry : entries) {
    Drawing drawing(entry, x, margin + 30);
    drawing.layOut();
    drawing.print(body);
    x += drawing.width() + margin;
    height = std::max(height, drawing.height());
  }
  std::ostringstream out;
  out << "<svg xmlns='http://www.w3.org/2000/svg' width='" << x << "' height='" << height + margin + 30
      << "' font-family='sans-serif' text-anchor='middle'>\n"
         "<style>\n"
         "text { fill: #222; }\n"
         ".title { font-size: 18px; text-anchor: start; }\n"
         ".entry { font-size: 15px; font-weight: bold; text-anchor: start; }\n"
         ".name { font-size: 12px; font-weight: bold; }\n"
         ".detail { font-size: 11px; }\n"
         ".count { font-size: 12px; font-weight: bold; text-anchor: start; fill: #8a5a00; }\n"
         ".end { fill: #e3efe0; stroke: #54804a; }\n"
         ".plain { fill: #f2f2f2; stroke: #777; }\n"
         ".weighted { fill: #dfe9f7; stroke: #3f6aa6; }\n"
         ".loop { fill: #fff8ea; stroke: #d0a24a; stroke-dasharray: 6 3; }\n"
         ".edge { fill: none; stroke: #555; stroke-width: 1.2; marker-end: url(#arrow); }\n"
         ".skip { stroke: #3f6aa6; }\n"
         ".input { stroke: #54804a; }\n"
         "</style>\n"
         "<defs><marker id='arrow' markerWidth='8' markerHeight='8' refX='7' refY='4' orient='auto'>"
         "<path d='M0 1 L7 4 L0 7 z' fill='#555'/></marker></defs>\n"
         "<rect width='100%' height='100%' fill='white'/>\n"
         "<text class='title' x='"
      << margin << "' y='" << margin + 8 << "'>" << escape(title) << "</text>\n"
      << body.str() << "</svg>\n";
  return out.str();
}

} // namespace sesame
