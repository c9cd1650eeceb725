//===- translate.cpp - sesame translate, sesame summarize ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "GenerateOptions.h"
#include "Options.h"

#include "generate/StopStrings.h"
#include "support/Error.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>

namespace sesame {

namespace {

struct RewriteOptions {
  bool isTranslation;
  std::string bundle, file, sourceLanguage, targetLanguage;
  std::optional<std::string> prefix;
  std::vector<std::string> texts;
  GenerateSettings settings;
  int64_t batch = 8;
  bool json = false;
  int threads = 0;

  const char *command() const { return isTranslation ? "translate" : "summarize"; }
};

/// How the sources of a model begin and end, and how the languages are said.
class SourceForm {
public:
  SourceForm(TextModel &model, const RewriteOptions &options) : model(model), options(options) {
    const nlohmann::json settings = model.companion("config.json");
    chooseTask(settings);
    prefix = options.prefix.value_or(task.is_object() ? textOf(task, "prefix") : textOf(settings, "prefix"));
    kind = tokenizerKind();
    if (kind == "MBart" || kind == "MBart50" || kind == "M2M100" || kind == "Nllb") {
      namesLanguages = true;
      const nlohmann::json legacy =
          model.companion("tokenizer_config.json").value("legacy_behaviour", nlohmann::json());
      endsWithLanguage = kind == "MBart" || (kind == "Nllb" && legacy == true);
      if (!options.sourceLanguage.empty())
        source = languageToken("--src-lang", options.sourceLanguage);
      if (!options.targetLanguage.empty())
        target = languageToken("--tgt-lang", options.targetLanguage);
      return;
    }
    if (kind == "Marian") {
      if (!options.targetLanguage.empty())
        target = languageToken("--tgt-lang", options.targetLanguage);
      if (!options.sourceLanguage.empty())
        throw Error("option '--src-lang': a Marian model is told its target language alone");
      return;
    }
    if (!task.is_object() && !(options.sourceLanguage.empty() && options.targetLanguage.empty()))
      throw Error(message("option '--", options.sourceLanguage.empty() ? "tgt" : "src",
                          "-lang': ", model.bundle(),
                          " is a model of one pair of languages: neither its tokenizer nor its "
                          "task_specific_params name any"));
  }

  /// What the task asks of generation: null, or an object.
  const nlohmann::json &taskSettings() const { return task; }

  /// Languages that the decoder is told.
  void apply(GenerationConfig &config) const {
    if (!target || kind == "Marian")
      return;
    // The first mBART starts with its language, the others are made to say it first.
    if (kind == "MBart")
      config.decoderStartTokenId = target;
    else
      config.forcedBosTokenId = target;
  }

  std::vector<int64_t> encode(std::string text) const {
    const Tokenizer &tokenizer = model.tokenizer();
    std::optional<int64_t> language;
    if (kind == "Marian") {
      language = target;
      // The language may also stand before the text, as in ">>fra<< ...".
      const size_t end = text.rfind(">>", 0) == 0 ? text.find("<<") : text.npos;
      if (!language && end != text.npos)
        if (std::optional<TokenId> id = tokenizer.tokenToId(text.substr(0, end + 2))) {
          language = *id;
          text.erase(0, end + 2);
        }
    }
    std::vector<int64_t> ids;
    if (namesLanguages && source) {
      const std::optional<TokenId> end = tokenizer.roleId("eos_token");
      const std::optional<int64_t> last =
          end ? std::optional<int64_t>(*end) : model.configNumber("eos_token_id");
      if (!last)
        throw Error(message(model.bundle(), ": expected an eos_token, which ends a source, found none"));
      const std::vector<TokenId> plain = tokenizer.encodeIds(prefix + text, /*addSpecialTokens=*/false);
      ids.assign(plain.begin(), plain.end());
      if (endsWithLanguage) {
        ids.insert(ids.end(), {*last, *source});
      } else {
        ids.insert(ids.begin(), *source);
        ids.push_back(*last);
      }
      return ids;
    }
    const std::vector<TokenId> plain = tokenizer.encodeIds(prefix + text);
    if (language)
      ids.push_back(*language);
    ids.insert(ids.end(), plain.begin(), plain.end());
    return ids;
  }

private:
  static std::string textOf(const nlohmann::json &object, const char *key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
  }

  /// The entry of config.json's `task_specific_params` for this command: T5 and others say there what a
  /// source begins with and how its result is searched for.
  void chooseTask(const nlohmann::json &settings) {
    const auto all = settings.find("task_specific_params");
    if (all == settings.end() || !all->is_object())
      return;
    if (!options.isTranslation) {
      task = all->value("summarization", nlohmann::json());
      return;
    }
    std::string names;
    std::vector<nlohmann::json> fitting;
    for (const auto &[name, value] : all->items()) {
      // translation_en_to_de
      const size_t middle = name.find("_to_");
      if (name.rfind("translation_", 0) != 0 || middle == name.npos || !value.is_object())
        continue;
      const std::string from = name.substr(12, middle - 12), to = name.substr(middle + 4);
      names += (names.empty() ? "" : ", ") + from + " to " + to;
      if ((options.sourceLanguage.empty() || options.sourceLanguage == from) &&
          (options.targetLanguage.empty() || options.targetLanguage == to))
        fitting.push_back(value);
    }
    if (names.empty())
      return;
    if (fitting.size() == 1)
      task = fitting.front();
    else if (!options.prefix)
      throw Error(message("options '--src-lang' and '--tgt-lang': expected one of ", names, ", got ",
                          options.sourceLanguage.empty() ? "any" : options.sourceLanguage, " to ",
                          options.targetLanguage.empty() ? "any" : options.targetLanguage));
  }

  /// The tokenizer's class without "Tokenizer" and "Fast", or what the model's type implies.
  std::string tokenizerKind() const {
    std::string name = textOf(model.companion("tokenizer_config.json"), "tokenizer_class");
    for (const std::string suffix : {"Fast", "Tokenizer"})
      if (name.size() > suffix.size() && name.compare(name.size() - suffix.size(), name.npos, suffix) == 0)
        name.erase(name.size() - suffix.size());
    if (!name.empty() && name != "PreTrained")
      return name;
    const std::string &type = model.manifest().model.modelType;
    return type == "mbart" ? "MBart" : type == "m2m_100" ? "M2M100" : type == "marian" ? "Marian" : "";
  }

  int64_t languageToken(const char *option, const std::string &language) const {
    const Tokenizer &tokenizer = model.tokenizer();
    for (const std::string &token : {language, "__" + language + "__", ">>" + language + "<<"})
      if (std::optional<TokenId> id = tokenizer.tokenToId(token); id && isLanguage(token))
        return *id;
    std::string some;
    int64_t count = 0;
    for (TokenId id = 0; id < static_cast<TokenId>(tokenizer.vocabSize()); ++id)
      if (std::optional<std::string> token = tokenizer.idToToken(id); token && isLanguage(*token))
        if (++count <= 8)
          some += (some.empty() ? "" : ", ") + *token;
    throw Error(message("option '", option, "': expected a language of the model",
                        some.empty() ? ", which names none" : " (" + some + (count > 8 ? ", ...)" : ")"),
                        ", got '", language, "'"));
  }

  /// "en_XX", "fra_Latn", "__fr__", ">>fra<<".
  static bool isLanguage(const std::string &token) {
    auto isFramed = [&](const std::string &begin, const std::string &end) {
      return token.size() > begin.size() + end.size() && token.rfind(begin, 0) == 0 &&
             token.compare(token.size() - end.size(), end.size(), end) == 0;
    };
    if (isFramed("__", "__") || isFramed(">>", "<<"))
      return true;
    const size_t middle = token.find('_');
    if (middle != 2 && middle != 3)
      return false;
    return std::all_of(token.begin(), token.begin() + middle, [](char c) { return c >= 'a' && c <= 'z'; }) &&
           token.size() > middle + 1 && token[middle + 1] >= 'A' && token[middle + 1] <= 'Z';
  }

  TextModel &model;
  const RewriteOptions &options;
  nlohmann::json task;
  std::string prefix, kind;
  bool namesLanguages = false, endsWithLanguage = false;
  std::optional<int64_t> source, target;
};

/// Reads texts a batch at a time, generates, and prints.
class Rewriter {
public:
  explicit Rewriter(const RewriteOptions &options)
      : options(options), model(options.bundle, options.threads), encode(findEncoder()), form(model, options),
        config(configureGeneration(model, options.settings, form.taskSettings())) {
    form.apply(config);
  }

  void run() {
    if (!options.texts.empty()) {
      for (const std::string &text : options.texts)
        if (isBlank(text))
          throw Error(message("expected a text to ", options.command(), ", got an empty one"));
      for (const std::string &text : options.texts)
        add(text);
    } else if (!options.file.empty()) {
      std::ifstream stream(options.file);
      if (!stream)
        throw Error(message(options.file, ": cannot open"));
      readLines(stream, options.file);
    } else {
      readLines(std::cin, "standard input");
    }
    flush();
    if (options.json)
      std::printf("%s\n", results.dump(2).c_str());
  }

private:
  static bool isBlank(const std::string &text) { return text.find_first_not_of(" \t\r\n") == text.npos; }

  const EntrySpec &findEncoder() {
    const Model &compiled = model.session().model();
    const Manifest &manifest = model.manifest();
    if (!hasEncoder(compiled) || compiled.entries()[compiled.entryIndex("encode")].findInput("input_ids") < 0)
      throw Error(message(model.bundle(), ": 'sesame ", options.command(),
                          "' expects a model with an encoder of text and a decoder, got ",
                          manifest.model.architecture, " for ",
                          manifest.model.task.empty() ? "no known task" : manifest.model.task));
    return compiled.entries()[compiled.entryIndex("encode")];
  }

  void readLines(std::istream &stream, const std::string &name) {
    bool isEmpty = true;
    for (std::string line; std::getline(stream, line);) {
      isEmpty &= isBlank(line);
      add(line);
    }
    if (isEmpty)
      throw Error(message(name, ": expected text to ", options.command(), ", found none"));
  }

  void add(const std::string &text) {
    // A blank line stays one, so that lines of input and output correspond.
    pending.push_back(isBlank(text) ? std::vector<int64_t>() : form.encode(text));
    if (static_cast<int64_t>(pending.size()) == options.batch)
      flush();
  }

  void flush() {
    std::vector<std::vector<int64_t>> sources;
    for (const std::vector<int64_t> &each : pending)
      if (!each.empty())
        sources.push_back(each);
    std::vector<std::string> texts;
    if (!sources.empty())
      texts = generateTexts(sources);
    size_t next = 0;
    for (const std::vector<int64_t> &each : pending)
      for (int64_t i = 0; i < config.numReturnSequences; ++i)
        print(each.empty() ? std::string() : texts[next++]);
    pending.clear();
    std::fflush(stdout);
  }

  std::vector<std::string> generateTexts(const std::vector<std::vector<int64_t>> &sources) {
    const SourceBatch source(
        encode, sources,
        config.padTokenId.value_or(config.eosTokenId.empty() ? 0 : config.eosTokenId.front()));
    const std::unique_ptr<StepModel> steps = openStepModel(model.session(), source.tensors());
    GenerationHooks hooks;
    if (!config.stopStrings.empty())
      hooks.shouldStop = StopStrings(config.stopStrings, [&](const int64_t *ids, int64_t length) {
        return model.targetTokenizer().decode(std::vector<TokenId>(ids, ids + length));
      });
    const GenerationResult result = generate(*steps, config, source.prompt(config), hooks);
    std::vector<std::string> texts;
    for (int64_t row = 0; row < result.rows; ++row) {
      const int64_t *first = result.sequences.data() + row * result.length + result.promptLength;
      texts.push_back(
          model.targetTokenizer().decode(std::vector<TokenId>(first, first + result.newTokens[row])));
    }
    return texts;
  }

  void print(const std::string &text) {
    if (options.json)
      results.push_back({{options.isTranslation ? "translation_text" : "summary_text", text}});
    else
      std::printf("%s\n", text.c_str());
  }

  const RewriteOptions &options;
  TextModel model;
  const EntrySpec &encode;
  SourceForm form;
  GenerationConfig config;
  std::vector<std::vector<int64_t>> pending; ///< Empty for a blank line.
  nlohmann::json results = nlohmann::json::array();
};

} // namespace

static void addRewriteCommand(CLI::App &app, bool isTranslation) {
  auto options = std::make_shared<RewriteOptions>();
  options->isTranslation = isTranslation;
  CLI::App *command =
      app.add_subcommand(options->command(), isTranslation ? "Translate texts" : "Summarize texts");
  command->add_option("BUNDLE", options->bundle, "What 'sesame compile' wrote, of an encoder-decoder model")
      ->required();
  addTextsOption(command, options->texts, "Texts; without any, the lines of a file or of standard input",
                 /*isRequired=*/false);
  command->add_option("--file", options->file, "Read the texts from this file, one a line");
  if (isTranslation) {
    command->add_option("--src-lang", options->sourceLanguage,
                        "Language of the texts, as the model calls it: en_XX (mBART), en (T5)");
    command->add_option("--tgt-lang", options->targetLanguage, "Language of the translation");
  }
  command->add_option(
      "--prefix", options->prefix,
      "What stands before each text; by default what config.json says (task_specific_params)");
  command->add_option("--batch", options->batch, "Texts to work on at a time")
      ->capture_default_str()
      ->check(integerFrom(1));
  addThreadsOption(command, options->threads);
  command->add_flag("--json", options->json, "Print JSON");
  addGenerateOptions(command, options->settings);
  command->footer(
      isTranslation
          ? "Examples:\n  sesame translate opus-mt-en-de.bundle 'How are you?' --beams 4\n"
            "  sesame translate mbart50.bundle --src-lang en_XX --tgt-lang de_DE < lines.txt"
          : "Example:\n  sesame summarize bart-large-cnn.bundle --file articles.txt --max-length 60");
  command->callback([options] {
    if (!options->texts.empty() && !options->file.empty())
      throw CLI::ExcludesError("TEXT", "--file");
    Rewriter(*options).run();
  });
}

void addTranslateCommand(CLI::App &app) { addRewriteCommand(app, /*isTranslation=*/true); }
void addSummarizeCommand(CLI::App &app) { addRewriteCommand(app, /*isTranslation=*/false); }

} // namespace sesame
