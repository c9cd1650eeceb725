//===- run.cpp - sesame run ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "Inputs.h"
#include "Options.h"

#include "core/Model.h"
#include "core/Profiler.h"
#include "core/Session.h"
#include "support/Error.h"

#include <cstdio>
#include <fstream>
#include <memory>

namespace sesame {

namespace {
struct RunOptions {
  std::string bundle, inputs, outputs, entry = "forward", profile;
  int threads = 0;
};
} // namespace

static void run(const RunOptions &options, bool shouldProfile) {
  auto model = Model::open(options.bundle);
  const EntrySpec &entry = model->entries()[model->entryIndex(options.entry)];
  SafetensorsFile file(options.inputs);
  std::vector<std::pair<std::string, const StoredTensor *>> named;
  for (const StoredTensor &tensor : file.tensors())
    if (tensor.name.rfind("__padding__", 0) != 0)
      named.emplace_back(tensor.name, &tensor);
  EntryInputs inputs(entry, named);
  Session::Options sessionOptions;
  sessionOptions.numThreads = options.threads;
  sessionOptions.profile = shouldProfile;
  Session session(model, sessionOptions);
  std::vector<OutputTensor> outputs = session.run(options.entry, inputs.tensors());
  if (!options.outputs.empty()) {
    const std::string partial = options.outputs + ".partial";
    try {
      SafetensorsWriter writer(partial);
      for (const OutputTensor &output : outputs)
        writer.add(output.name, output.dtype, output.shape);
      writer.begin();
      for (const OutputTensor &output : outputs)
        writer.write(output.data.data(), *denseSizeInBytes(output.dtype, output.shape));
      writer.finish();
    } catch (...) {
      std::remove(partial.c_str());
      throw;
    }
    if (std::rename(partial.c_str(), options.outputs.c_str()) != 0) {
      std::remove(partial.c_str());
      throw Error(message(options.outputs, ": cannot write"));
    }
  } else {
    for (const OutputTensor &output : outputs)
      std::printf("%s: %s\n", output.name.c_str(), toString(output.dtype, output.shape).c_str());
  }
  if (Profiler *profiler = session.profiler()) {
    std::fputs(profiler->table().c_str(), stderr);
    if (!options.profile.empty()) {
      std::ofstream trace(options.profile, std::ios::binary);
      trace << profiler->chromeTrace();
      trace.close();
      if (!trace)
        throw Error(message(options.profile, ": cannot write"));
    }
  }
}

void addRunCommand(CLI::App &app) {
  CLI::App *command = app.add_subcommand("run", "Run an entry of a bundle on tensors from a file");
  auto options = std::make_shared<RunOptions>();
  command->add_option("BUNDLE", options->bundle, "What 'sesame compile' wrote")->required();
  command->add_option("--inputs", options->inputs, "Safetensors file with the entry's inputs, by name")
      ->required();
  command->add_option("--outputs", options->outputs,
                      "Safetensors file to write; without it the outputs' shapes are printed");
  command->add_option("--entry", options->entry, "Which entry; 'sesame inspect' lists them")
      ->capture_default_str();
  addThreadsOption(command, options->threads);
  CLI::Option *profile = command
                             ->add_option("--profile", options->profile,
                                          "Print time per operation; =FILE also writes a Chrome trace")
                             ->expected(0, 1);
  command->callback([options, profile] { run(*options, profile->count() > 0); });
}

} // namespace sesame
