//===- Tune.cpp - Choosing the compiler's options by measurement ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One choice after the other: each of its other values is compiled, run beside what is best so far, and kept
// if it wins clearly. The code of candidates lies in the staging directory of the new bundle, so nothing is
// left behind when the user stops it.
//
//===----------------------------------------------------------------------===//

#include "Tune.h"

#include "Codegen.h"
#include "Compile.h"
#include "Compiler.h"
#include "OpTable.h"
#include "Source.h"
#include "StagingDirectory.h"
#include "Workload.h"

#include "../sesame/Progress.h"
#include "core/Model.h"
#include "core/Session.h"
#include "io/Manifest.h"
#include "support/Error.h"
#include "support/MappedFile.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Host.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>

using namespace mlir;

namespace sesame {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

namespace {
/// A choice that the passes have, with the values worth a try.
struct Knob {
  const char *name; ///< That of the pipeline's option.
  int64_t &(*field)(CodeOptions &options);
  std::vector<int64_t> values;
  /// Other values need the weights packed anew.
  bool repacks = false;
};

/// One of the bundle's possible codes.
struct Candidate {
  CodeOptions options;
  std::string codeFile;
  Manifest::Weights weights;
};
} // namespace

/// The most promising first.
static std::vector<Knob> listKnobs(int64_t lanes) {
  std::vector<Knob> knobs;
  knobs.push_back({"panel-width",
                   [](CodeOptions &code) -> int64_t & { return code.tile.panelWidth; },
                   {lanes, 2 * lanes, 3 * lanes, 4 * lanes},
                   true});
  // Accumulators, a vector of each column block and a broadcast have to fit the registers.
  knobs.push_back({"rows", [](CodeOptions &code) -> int64_t & { return code.lowering.rows; },
                   lanes >= 16 ? std::vector<int64_t>{4, 6, 12} : std::vector<int64_t>{4, 5}});
  knobs.push_back({"row-block-bytes",
                   [](CodeOptions &code) -> int64_t & { return code.tile.rowBlockBytes; },
                   {96 * 1024, 192 * 1024, 384 * 1024, 768 * 1024}});
  knobs.push_back({"query-block",
                   [](CodeOptions &code) -> int64_t & { return code.tile.queryBlock; },
                   {16, 32, 64, 128}});
  knobs.push_back({"key-block", [](CodeOptions &code) -> int64_t & { return code.lowering.keyBlock; },
                   lanes >= 16 ? std::vector<int64_t>{128, 512} : std::vector<int64_t>{96, 384}});
  knobs.push_back({"task-bytes",
                   [](CodeOptions &code) -> int64_t & { return code.tile.taskBytes; },
                   {32 * 1024, 64 * 1024, 128 * 1024, 256 * 1024}});
  knobs.push_back(
      {"rows-per-task", [](CodeOptions &code) -> int64_t & { return code.tile.rowsPerTask; }, {4, 16, 64}});
  knobs.push_back({"elements-per-task",
                   [](CodeOptions &code) -> int64_t & { return code.tile.elementsPerTask; },
                   {1024, 4096, 16384}});
  return knobs;
}

static double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

static double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

namespace {
/// A candidate ready to run each phase. A phase has a session of its own, since sessions hold one set of
/// states.
class Contender {
public:
  Contender(std::shared_ptr<const Model> model, const WorkloadShape &shape, int64_t newTokens, int numThreads)
      : model(std::move(model)), phases(listPhases(this->model->entries(), shape)) {
    // What generating text is made of; else all entries.
    const bool decodes = this->model->hasEntry("decode");
    if (decodes)
      llvm::erase_if(phases, [](const Phase &phase) {
        return phase.entry->name != "decode" && phase.entry->name != "encode";
      });
    for (const Phase &phase : phases) {
      weights.push_back(phase.isStep ? static_cast<double>(newTokens) : 1);
      Session::Options options;
      options.numThreads = numThreads;
      sessions.push_back(std::make_unique<Session>(this->model, options));
      runners.push_back(std::make_unique<PhaseRunner>(*sessions.back(), phase));
      runners.back()->run(); // pages are touched, threads started
      outputs.push_back(runners.back()->outputs());
      const Clock::time_point start = Clock::now();
      runners.back()->run();
      // Samples of some milliseconds: the clock's own cost and the scheduler's moods matter less.
      repeats.push_back(std::clamp<int64_t>(static_cast<int64_t>(2e-3 / secondsSince(start)), 1, 1000));
    }
  }

  int numThreads() const { return sessions.front()->numThreads(); }

  /// Seconds for one prompt (or call) and the new tokens.
  double measure() {
    double sum = 0;
    for (size_t i = 0; i < phases.size(); ++i) {
      // The other contender's threads spin for a while before they sleep.
      std::this_thread::sleep_for(std::chrono::microseconds(400));
      runners[i]->run();
      const Clock::time_point start = Clock::now();
      for (int64_t run = 0; run < repeats[i]; ++run)
        runners[i]->run();
      sum += weights[i] * secondsSince(start) / static_cast<double>(repeats[i]);
    }
    return sum;
  }

  /// Whether the outputs of the first runs are those of `other`, but for roundings.
  bool agreesWith(const Contender &other) const {
    for (auto [mine, others] : llvm::zip_equal(outputs, other.outputs)) {
      double largest = 1;
      for (double number : others)
        if (std::isfinite(number))
          largest = std::max(largest, std::fabs(number));
      if (mine.size() != others.size())
        return false;
      for (auto [a, b] : llvm::zip_equal(mine, others))
        if (a != b && !(std::isnan(a) && std::isnan(b)) && !(std::fabs(a - b) <= 1e-4 * largest))
          return false;
    }
    return true;
  }

private:
  std::shared_ptr<const Model> model;
  std::vector<Phase> phases;
  std::vector<double> weights;
  std::vector<std::unique_ptr<Session>> sessions;
  std::vector<std::unique_ptr<PhaseRunner>> runners;
  std::vector<std::vector<double>> outputs;
  std::vector<int64_t> repeats;
};

struct Duel {
  double incumbent, candidate; ///< Medians, in seconds.
  double ratio;                ///< The median of candidate / incumbent of each round.
  bool isWon;
};

/// A candidate that was tried, for the report.
struct Trial {
  std::string name;
  int64_t value;
  double ratio; ///< Of its time to that of the best so far; 0: not timed.
  std::string note;
};
} // namespace

/// Rounds of both, one after the other and in turns first, so that whatever else runs on the machine meets
/// both. A win is a median ratio below 1 - margin and four of five rounds.
static Duel fight(Contender &incumbent, Contender &candidate, double margin, int rounds) {
  std::vector<double> mine, others, ratios;
  int wins = 0;
  for (int round = 0; round < rounds; ++round) {
    double first = round % 2 ? candidate.measure() : incumbent.measure();
    double second = round % 2 ? incumbent.measure() : candidate.measure();
    if (round % 2)
      std::swap(first, second);
    mine.push_back(first);
    others.push_back(second);
    ratios.push_back(second / first);
    wins += second < first;
    if (round + 1 >= 5 && median(ratios) > 1 + margin / 2)
      break; // Nothing to be had.
  }
  const double ratio = median(ratios);
  return {median(mine), median(others), ratio,
          ratio < 1 - margin && wins * 5 >= static_cast<int>(ratios.size()) * 4};
}

/// "AMD EPYC 9R14 (znver4)"
static std::string machineName() {
  std::ifstream info("/proc/cpuinfo");
  std::string line, name;
  while (name.empty() && std::getline(info, line))
    if (llvm::StringRef(line).starts_with("model name"))
      name = llvm::StringRef(line).split(':').second.trim().str();
  const std::string core = llvm::sys::getHostCPUName().str();
  return name.empty() ? core : name + " (" + core + ")";
}

namespace {
class Tuner {
public:
  explicit Tuner(const TuneOptions &options)
      : options(options), bundle(fs::weakly_canonical(options.bundle).string()),
        context((registerCompilerDialects(registry), registry), MLIRContext::Threading::DISABLED) {}

  void run();

private:
  void open();
  void openSourceOfWeights();
  Candidate compile(const CodeOptions &code);
  std::unique_ptr<Contender> start(const Candidate &candidate);
  void removeFilesOf(const Candidate &candidate);
  void tryKnob(const Knob &knob);
  void publish(bool isBetter);
  nlohmann::json describe() const;
  void print() const;
  void showProgress(const std::string &what) {
    std::string bar(20, '.');
    const size_t filled = numTrials ? std::min<size_t>(20, 20 * trials.size() / numTrials) : 0;
    std::fill_n(bar.begin(), filled, '#');
    progress.show(message("tuning [", bar, "] ", trials.size() + 1, "/", numTrials, "  ", what));
  }
  double margin() const { return options.margin / 100; }

  const TuneOptions &options;
  const std::string bundle;
  DialectRegistry registry;
  MLIRContext context;
  Progress progress;
  Manifest manifest;
  CodegenOptions codegen;
  OwningOpRef<ModuleOp> module;
  std::string checkpoint;
  std::optional<StagingDirectory> staging;
  Candidate original, best;
  std::string bestCode; // bytes of the library, to tell candidates that are no others
  std::unique_ptr<Contender> incumbent;
  std::vector<Trial> trials;
  size_t numTrials = 0;
  int number = 0;
  double before = 0, after = 0;
};
} // namespace

static CodeOptions readCodeOptions(const Manifest &manifest, const std::string &bundle) {
  auto text = [&](const char *name) {
    auto found = manifest.code.find(name);
    return found != manifest.code.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const auto tile = mlir::sesame::parseTileOptions(text("tile"));
  const auto lowering = mlir::sesame::parseLoweringOptions(text("lower"));
  if (text("tile").empty() || !tile || !lowering)
    throw Error(message(bundle, "/manifest.json: expected code.tile and code.lower to hold options of "
                                "sesame-opt's pipelines; compile the model again"));
  return {*tile, *lowering};
}

void Tuner::open() {
  // Says so if this is no bundle, or one for another machine.
  (void)Model::open(bundle);
  manifest = readManifest(bundle + "/manifest.json");
  const std::string path = bundle + "/" + bundleModuleFile;
  std::error_code ignored;
  if (!fs::exists(path, ignored))
    throw Error(message(path, ": expected the module that the bundle was compiled from, found no such file; "
                              "compile the model again"));
  if (const std::string version = manifest.provenance.value("sesame", ""); version != SESAME_VERSION)
    throw Error(message(bundle, ": compiled by sesame '", version, "', this is ", SESAME_VERSION,
                        "; compile the model again"));
  original.options = readCodeOptions(manifest, bundle);
  original.weights = manifest.weights;
  codegen = resolveTarget(manifest.target.cpu == "generic" ? "aarch64" : manifest.target.cpu);
  codegen.requiredFeatures = manifest.target.features;
  codegen.tuneCpu = llvm::sys::getHostCPUName().str();
  DiagnosticCollector diagnostics(context);
  module = parseSourceFile<ModuleOp>(path, &context);
  if (!module)
    diagnostics.fail(message(path, ": is no valid MLIR module"));
  numberOps(*module);
}

void Tuner::openSourceOfWeights() {
  if (options.source.empty())
    return;
  checkpoint = openSource(options.source, context).checkpoint;
  if (checkpoint.empty())
    throw Error(message("--source ", options.source, ": expected a checkpoint, or a module that names one"));
}

/// Into the staging directory.
Candidate Tuner::compile(const CodeOptions &code) {
  Candidate candidate{code, message("model-", number, ".so"), best.weights};
  OwningOpRef<ModuleOp> copy = module->clone();
  runStage(*copy, "tile", [&](OpPassManager &pm) { mlir::sesame::buildTileCpu(pm, code.tile); });
  if (code.tile.panelWidth != best.options.tile.panelWidth) {
    candidate.weights.file = message("weights-", number, ".safetensors");
    writeWeights(printWeights(*copy), registry, checkpoint, staging->file(candidate.weights.file),
                 candidate.weights, nullptr);
  }
  ++number;
  compileCode(
      *copy, codegen, code.lowering, staging->file(candidate.codeFile),
      [](ModuleOp, const char *, const std::string &) {}, "");
  return candidate;
}

std::unique_ptr<Contender> Tuner::start(const Candidate &candidate) {
  Manifest described = manifest;
  described.weights = candidate.weights;
  return std::make_unique<Contender>(Model::open(staging->path(), std::move(described), candidate.codeFile),
                                     WorkloadShape{options.batch, options.promptTokens}, options.newTokens,
                                     options.threads);
}

void Tuner::removeFilesOf(const Candidate &candidate) {
  std::error_code ignored;
  fs::remove(staging->file(candidate.codeFile), ignored);
  if (candidate.weights.file != original.weights.file && candidate.weights.file != best.weights.file)
    fs::remove(staging->file(candidate.weights.file), ignored);
}

void Tuner::tryKnob(const Knob &knob) {
  // The best of this choice's values, each against what was best before.
  std::optional<Candidate> winner;
  std::unique_ptr<Contender> winningContender;
  std::string winningCode;
  double lowest = 1;
  const int64_t current = knob.field(best.options);
  for (int64_t value : knob.values) {
    if (value == current)
      continue;
    showProgress(message(knob.name, "=", value));
    Trial trial{knob.name, value, 0, ""};
    CodeOptions code = best.options;
    knob.field(code) = value;
    Candidate candidate = compile(code);
    const std::string bytes = readTextFile(staging->file(candidate.codeFile));
    std::unique_ptr<Contender> contender;
    Duel duel{};
    if (bytes == bestCode) {
      trial.note = "the same code";
    } else if (contender = start(candidate); !contender->agreesWith(*incumbent)) {
      trial.note = "other results, not considered";
    } else {
      duel = fight(*incumbent, *contender, margin(), 15);
      trial.ratio = duel.ratio;
    }
    const bool isLowest = duel.isWon && duel.ratio < lowest;
    if (isLowest) {
      lowest = duel.ratio;
      winningContender.reset();
      if (winner)
        removeFilesOf(*winner);
      winner = candidate;
      winningContender = std::move(contender);
      winningCode = bytes;
    } else {
      contender.reset();
      removeFilesOf(candidate);
    }
    trials.push_back(std::move(trial));
  }
  if (!winner)
    return;
  const Candidate old = best;
  incumbent = std::move(winningContender);
  best = *winner;
  bestCode = winningCode;
  removeFilesOf(old);
  for (Trial &trial : trials)
    if (trial.name == knob.name && trial.value == knob.field(best.options))
      trial.note = "kept";
}

void Tuner::run() {
  open();
  openSourceOfWeights();
  std::vector<Knob> knobs = listKnobs(codegen.vectorLanes);
  for (const std::string &name : options.only)
    if (llvm::none_of(knobs, [&](const Knob &knob) { return name == knob.name; })) {
      std::string names;
      for (const Knob &knob : knobs)
        names += (names.empty() ? "" : ", ") + std::string(knob.name);
      throw Error(message("--only: expected one of ", names, ", got '", name, "'"));
    }
  llvm::erase_if(knobs, [&](const Knob &knob) {
    return (knob.repacks && checkpoint.empty()) ||
           (!options.only.empty() && !llvm::is_contained(options.only, knob.name));
  });
  if (knobs.empty())
    throw Error("--only panel-width: the weights would be packed anew, expected --source CHECKPOINT");
  for (const Knob &knob : knobs)
    numTrials += knob.values.size() - llvm::is_contained(knob.values, knob.field(original.options));

  staging.emplace(bundle);
  std::error_code error;
  const std::string weights = bundle + "/" + original.weights.file;
  fs::create_hard_link(weights, staging->file(original.weights.file), error);
  if (error)
    staging->copyIn(weights, original.weights.file);
  // The code that stands is compiled like the others: it may be of another time, and has to be the same.
  showProgress("as it is");
  best = original;
  best = compile(original.options);
  const Candidate first = best;
  bestCode = readTextFile(staging->file(best.codeFile));
  incumbent = start(best);
  Contender standing(Model::open(bundle), {options.batch, options.promptTokens}, options.newTokens,
                     options.threads);
  if (!incumbent->agreesWith(standing))
    throw Error(message(bundle, ": the code made of ", bundleModuleFile,
                        " gives other results than the bundle's; compile the model again"));
  for (const Knob &knob : knobs)
    tryKnob(knob);

  // Small wins may have been luck: all together have to win against what stands.
  progress.show("tuning: the best against the bundle as it is");
  const Duel last = fight(standing, *incumbent, margin(), 21);
  const bool isBetter = last.isWon && bestCode != readTextFile(bundle + "/model.so");
  before = last.incumbent;
  after = isBetter ? last.candidate : last.incumbent;
  publish(isBetter);
  progress.clear();
  if (options.json)
    llvm::outs() << manifest.code.dump(2) << "\n";
  else
    print();
}

void Tuner::publish(bool isBetter) {
  std::error_code ignored;
  if (!isBetter) {
    removeFilesOf(best);
    if (best.weights.file != original.weights.file)
      fs::remove(staging->file(best.weights.file), ignored);
    best = original;
    staging->copyIn(bundle + "/model.so", "model.so");
    for (Trial &trial : trials)
      if (trial.note == "kept")
        trial.note = "not kept: no clear win in the end";
  } else {
    fs::rename(staging->file(best.codeFile), staging->file("model.so"));
    if (best.weights.file != original.weights.file) {
      fs::rename(staging->file(best.weights.file), staging->file(original.weights.file));
      best.weights.file = original.weights.file;
    }
  }
  manifest.weights = best.weights;
  manifest.code = describe();
  for (const fs::directory_entry &entry : fs::directory_iterator(bundle)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && name != "model.so" && name != "manifest.json" &&
        name != original.weights.file)
      staging->copyIn(entry.path().string(), name);
  }
  staging->write("manifest.json", serializeManifest(manifest));
  staging->publish();
}

nlohmann::json Tuner::describe() const {
  nlohmann::json candidates = nlohmann::json::array();
  for (const Trial &trial : trials) {
    nlohmann::json candidate = {{"option", trial.name}, {"value", trial.value}};
    if (trial.ratio > 0)
      candidate["time"] = std::round(trial.ratio * 1000) / 1000;
    if (!trial.note.empty())
      candidate["note"] = trial.note;
    candidates.push_back(std::move(candidate));
  }
  return {{"tile", toText(best.options.tile)},
          {"lower", toText(best.options.lowering)},
          {"tuned",
           {{"machine", machineName()},
            {"threads", incumbent->numThreads()},
            {"batch", options.batch},
            {"prompt_tokens", options.promptTokens},
            {"new_tokens", options.newTokens},
            {"before_ms", before * 1e3},
            {"after_ms", after * 1e3},
            {"candidates", candidates}}}};
}

void Tuner::print() const {
  llvm::raw_ostream &out = llvm::outs();
  out << "choice                        time\n";
  for (const Trial &trial : trials) {
    out << llvm::left_justify(message(trial.name, "=", trial.value), 26);
    if (trial.ratio > 0)
      out << llvm::format("%+6.1f %%", (trial.ratio - 1) * 100);
    out << (trial.note.empty() ? "" : "  ") << trial.note << "\n";
  }
  out << llvm::format("before %10.3f ms\nafter  %10.3f ms", before * 1e3, after * 1e3);
  const bool isKept = llvm::any_of(trials, [](const Trial &trial) { return trial.note == "kept"; });
  out << (isKept ? llvm::formatv("  ({0:P1} less)", 1 - after / before).str()
                 : std::string("  (nothing wins clearly: the code stays as it is)"))
      << "\n";
}

void tuneBundle(const TuneOptions &options) { Tuner(options).run(); }

} // namespace sesame
