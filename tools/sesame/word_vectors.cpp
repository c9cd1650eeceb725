//===- word_vectors.cpp - sesame neighbors, sesame similarity ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "Options.h"

#include "io/WordVectors.h"
#include "support/Error.h"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <memory>

namespace sesame {

namespace {
struct VectorOptions {
  std::string file;
  std::vector<std::string> words, plus, minus;
  int64_t count = 10, dimension = 0;
  bool json = false;
};
} // namespace

static void printNeighbors(const VectorOptions &options) {
  const WordVectors vectors(options.file, options.dimension);
  std::vector<double> query(static_cast<size_t>(vectors.dimension()), 0);
  std::vector<int64_t> named;
  auto include = [&](const std::vector<std::string> &words, double sign) {
    for (const std::string &word : words) {
      named.push_back(vectors.find(word));
      const std::vector<double> direction = vectors.direction(named.back());
      for (size_t i = 0; i < query.size(); ++i)
        query[i] += sign * direction[i];
    }
  };
  include(options.words, 1);
  include(options.plus, 1);
  include(options.minus, -1);
  nlohmann::json results = nlohmann::json::array();
  for (const WordVectors::Neighbor &each : vectors.nearest(query, options.count, named)) {
    const std::string word(vectors.word(each.index));
    if (options.json)
      results.push_back({{"word", word}, {"cosine", each.cosine}});
    else
      std::printf("%9.5f  %s\n", each.cosine, word.c_str());
  }
  if (options.json)
    std::printf("%s\n", results.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

static void printSimilarity(const VectorOptions &options) {
  const WordVectors vectors(options.file, options.dimension);
  const double cosine = vectors.cosine(vectors.find(options.words[0]), vectors.find(options.words[1]));
  if (options.json)
    std::printf("%s\n", nlohmann::json({{"cosine", cosine}}).dump().c_str());
  else
    std::printf("%.6f\n", cosine);
}

static void addFileOptions(CLI::App *command, VectorOptions &options) {
  command
      ->add_option("FILE", options.file, "Word vectors: word2vec (text or binary), fastText (.vec) or GloVe")
      ->required();
  command
      ->add_option("--dimension", options.dimension,
                   "Numbers of a vector, for a GloVe file of which they cannot be guessed")
      ->check(integerFrom(1));
  command->add_flag("--json", options.json, "Print JSON");
}

static CLI::Option *addWords(CLI::App *command, const std::string &name, std::vector<std::string> &words,
                             const std::string &description) {
  return command->add_option(name, words, description)->expected(1)->take_all()->allow_extra_args(false);
}

void addNeighborsCommand(CLI::App &app) {
  CLI::App *command = app.add_subcommand("neighbors", "List the words whose vectors are nearest to a word's");
  auto options = std::make_shared<VectorOptions>();
  addFileOptions(command, *options);
  addWords(command, "WORD", options->words, "The word")->required();
  command->add_option("-k,--count", options->count, "How many")->capture_default_str()->check(integerFrom(1));
  addWords(command, "--plus", options->plus, "Add this word's direction; may be given several times");
  addWords(command, "--minus", options->minus, "Take this word's direction away; may be given several times");
  command->footer("Neighbours are ordered by cosine; the words that were given are left out.\n"
                  "Example, an analogy:\n"
                  "  sesame neighbors vectors.bin king --minus man --plus woman -k 1");
  command->callback([options] { printNeighbors(*options); });
}

void addSimilarityCommand(CLI::App &app) {
  CLI::App *command = app.add_subcommand("similarity", "Print the cosine of two words' vectors");
  auto options = std::make_shared<VectorOptions>();
  addFileOptions(command, *options);
  options->words.resize(2);
  command->add_option("A", options->words[0], "A word")->required();
  command->add_option("B", options->words[1], "Another word")->required();
  command->footer("Example:\n  sesame similarity vectors.bin king queen");
  command->callback([options] { printSimilarity(*options); });
}

} // namespace sesame
