//===- Families.h - The families of models there are ------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each is in a file of families/. Only the registry includes this, so that a new one compiles alone.
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IMPORT_FAMILIES_H
#define SESAME_IMPORT_FAMILIES_H

#include "Registry.h"

namespace sesame::importer {

const Family &albertFamily();
const Family &awdLstmLmFamily();
const Family &bartFamily();
const Family &bertFamily();
const Family &bilstmCrfFamily();
const Family &bilstmTaggerFamily();
const Family &blenderbotFamily();
const Family &blenderbotSmallFamily();
const Family &bloomFamily();
const Family &camembertFamily();
const Family &clipFamily();
const Family &clipTextFamily();
const Family &clipVisionFamily();
const Family &coveFamily();
const Family &ctrlFamily();
const Family &debertaFamily();
const Family &debertaV2Family();
const Family &deitFamily();
const Family &distilBertFamily();
const Family &dprFamily();
const Family &electraFamily();
const Family &elmoFamily();
const Family &encoderDecoderFamily();
const Family &flaubertFamily();
const Family &fnetFamily();
const Family &funnelFamily();
const Family &fsmtFamily();
const Family &gemma2Family();
const Family &gemmaFamily();
const Family &gpt2Family();
const Family &gptBigCodeFamily();
const Family &gptJFamily();
const Family &gptNeoFamily();
const Family &gptNeoXFamily();
const Family &gruLmFamily();
const Family &gruSeq2SeqFamily();
const Family &layoutLmFamily();
const Family &ledFamily();
const Family &llamaFamily();
const Family &longformerFamily();
const Family &lstmLmFamily();
const Family &lstmSeq2SeqFamily();
const Family &lxmertFamily();
const Family &m2m100Family();
const Family &mambaFamily();
const Family &marianFamily();
const Family &mbartFamily();
const Family &megatronBertFamily();
const Family &mistralFamily();
const Family &mmbtFamily();
const Family &mobileBertFamily();
const Family &mpnetFamily();
const Family &mt5Family();
const Family &openAIGptFamily();
const Family &optFamily();
const Family &pegasusFamily();
const Family &phiFamily();
const Family &prophetNetFamily();
const Family &qwen2Family();
const Family &qwen3Family();
const Family &reformerFamily();
const Family &rnnLmFamily();
const Family &robertaFamily();
const Family &squeezeBertFamily();
const Family &t5Family();
const Family &tagLmFamily();
const Family &timesformerFamily();
const Family &transformerFamily();
const Family &transfoXlFamily();
const Family &umt5Family();
const Family &vitFamily();
const Family &whisperFamily();
const Family &xlmFamily();
const Family &xlmRobertaFamily();
const Family &xlmRobertaXlFamily();
const Family &xlnetFamily();

} // namespace sesame::importer

#endif // SESAME_IMPORT_FAMILIES_H
