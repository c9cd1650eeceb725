//===- generate.cpp - sesame generate ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "GenerateOptions.h"
#include "Options.h"
#include "TextModel.h"

#include "generate/StopStrings.h"
#include "support/Error.h"

#include <nlohmann/json.hpp>

#include <charconv>
#include <cstdio>
#include <memory>
#include <optional>

namespace sesame {

namespace {
struct GenerateOptions {
  std::string bundle;
  std::vector<std::string> prompts, promptFiles, idLists;
  GenerateSettings settings;
  bool shouldPrintIds = false, json = false;
  int threads = 0;
};
} // namespace

static std::vector<int64_t> parseIds(const std::string &text) {
  std::vector<int64_t> ids;
  const char *at = text.data(), *end = at + text.size();
  for (;;) {
    int64_t id = 0;
    auto [next, error] = std::from_chars(at, end, id);
    if (error != std::errc() || (next != end && *next != ','))
      throw CLI::ValidationError("--ids",
                                 message("expected numbers with commas between them, got '", text, "'"));
    ids.push_back(id);
    if (next == end)
      return ids;
    at = next + 1;
  }
}

/// A prompt from a file, without the line break that editors end a file with.
static std::string readPrompt(const std::string &file) {
  std::string text = readTextFile(file);
  if (!text.empty() && text.back() == '\n')
    text.pop_back();
  return text;
}

static void printIds(const int64_t *ids, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    std::printf("%s%lld", i ? "," : "", static_cast<long long>(ids[i]));
  std::printf("\n");
}

static void generateText(const GenerateOptions &options) {
  std::vector<std::string> texts = options.prompts;
  for (const std::string &file : options.promptFiles)
    texts.push_back(readPrompt(file));
  if (texts.empty() == options.idLists.empty())
    throw CLI::RequiredError("--prompt, --prompt-file or --ids");
  std::vector<std::vector<int64_t>> prompts;
  for (const std::string &text : options.idLists)
    prompts.push_back(parseIds(text));
  TextModel model(options.bundle, options.threads);
  GenerationConfig config = configureGeneration(model, options.settings);
  const bool hasSource = hasEncoder(model.session().model());
  for (const std::string &text : texts) {
    // Nothing goes on behind the special tokens that end a text.
    const std::vector<TokenId> ids = model.tokenizer().encodeIds(text, !model.endsInSpecialTokens());
    prompts.emplace_back(ids.begin(), ids.end());
    if (prompts.back().empty()) { // As transformers does when it is given nothing.
      if (!config.bosTokenId)
        throw Error(
            "option '--prompt': expected at least one token, got an empty prompt, and the model has no "
            "bos_token_id to begin with");
      prompts.back().push_back(*config.bosTokenId);
    }
  }
  const int64_t padId = config.padTokenId.value_or(config.eosTokenId.empty() ? 0 : config.eosTokenId.front());
  GenerationInput input;
  // An encoder reads the prompts, and what is printed is the decoder's alone.
  std::optional<SourceBatch> source;
  if (hasSource) {
    const Model &compiled = model.session().model();
    source.emplace(compiled.entries()[compiled.entryIndex("encode")], prompts, padId);
    input = source->prompt(config);
    prompts.assign(prompts.size(), {});
  } else {
    input = padLeft(prompts, padId);
  }
  const std::unique_ptr<StepModel> steps =
      openStepModel(model.session(), source ? source->tensors() : std::vector<InputTensor>());

  GenerationHooks hooks;
  if (!config.stopStrings.empty())
    hooks.shouldStop = StopStrings(config.stopStrings, [&](const int64_t *ids, int64_t length) {
      return model.targetTokenizer().decode(std::vector<TokenId>(ids, ids + length));
    });
  // One sequence is printed while it grows; several would mix.
  std::unique_ptr<IncrementalDecoder> decoder;
  if (!options.shouldPrintIds && !options.json && prompts.size() == 1 && config.numBeams == 1 &&
      config.numReturnSequences == 1) {
    decoder = std::make_unique<IncrementalDecoder>(model.targetTokenizer());
    std::string shown;
    for (int64_t id : prompts[0])
      shown += decoder->push(static_cast<TokenId>(id));
    // The prompt comes out with the first new token: when nothing can be generated, nothing is printed.
    hooks.onToken = [&, shown](int64_t, int64_t token) mutable {
      shown += decoder->push(static_cast<TokenId>(token));
      std::fputs(shown.c_str(), stdout);
      shown.clear();
      std::fflush(stdout);
      return true;
    };
  }
  const GenerationResult result = generate(*steps, config, input, hooks);
  if (decoder) {
    std::printf("%s\n", decoder->finish().c_str());
    return;
  }
  nlohmann::json results = nlohmann::json::array();
  for (int64_t row = 0; row < result.rows; ++row) {
    const int64_t *sequence = result.sequences.data() + row * result.length;
    if (options.shouldPrintIds) {
      printIds(sequence + result.promptLength, result.newTokens[row]);
      continue;
    }
    const std::vector<int64_t> &prompt = prompts[row / (result.rows / static_cast<int64_t>(prompts.size()))];
    std::vector<TokenId> ids(prompt.begin(), prompt.end());
    ids.insert(ids.end(), sequence + result.promptLength,
               sequence + result.promptLength + result.newTokens[row]);
    const std::string text = model.targetTokenizer().decode(ids);
    if (options.json)
      results.push_back({{"generated_text", text}});
    else
      std::printf("%s\n", text.c_str());
  }
  if (options.json)
    std::printf("%s\n", results.dump(2).c_str());
}

void addGenerateCommand(CLI::App &app) {
  CLI::App *command = app.add_subcommand("generate", "Continue a prompt");
  auto options = std::make_shared<GenerateOptions>();
  command->add_option("BUNDLE", options->bundle, "What 'sesame compile' wrote")->required();
  command->add_option("--prompt", options->prompts, "Text to continue; several times for a batch")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command
      ->add_option("--prompt-file", options->promptFiles,
                   "Read a prompt from this file, such as one with examples; several times for a batch")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--ids", options->idLists, "Token ids to continue instead, with commas between them")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  command->add_flag("--print-ids", options->shouldPrintIds, "Print the new ids alone, one sequence a line");
  command->add_flag("--json", options->json, "Print JSON, prompt included")->excludes("--print-ids");
  addThreadsOption(command, options->threads);
  addGenerateOptions(command, options->settings);
  command->footer(
      "Greedy unless a sampling setting is given.\n"
      "Examples:\n  sesame generate gpt2.bundle --prompt 'Once upon a time' --max-new-tokens 40\n"
      "  sesame generate gpt2.bundle --prompt 'Once upon a time' --temperature 0.8 --top-p 0.95 --seed 1\n"
      "  sesame generate gpt2.bundle --prompt-file examples.txt --stop $'\\n'");
  command->callback([options] { generateText(*options); });
}

} // namespace sesame
