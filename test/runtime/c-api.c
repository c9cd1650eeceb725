/* RUN: rm -rf %t.bundle && write-counter-bundle %t.bundle %libdir/sesame-counter-model.so
   RUN: cp %fixtures/tokenizers/gpt2-bpe/tokenizer.json %t.bundle
   RUN: %cc -std=c99 -Wall -Wextra -Werror -pedantic -I%include %s -o %t -L%libdir -lsesame_runtime -Wl,-rpath,%libdir -lm
   RUN: %t %t.bundle | FileCheck %s

   Every function of sesame.h, from C99. An expectation that fails prints its line and ends the program with 1. */

#include "sesame/sesame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECT(condition)                                                                                              \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      printf("%d: expected %s; last error: %s\n", __LINE__, #condition, sesame_last_error());                          \
      exit(1);                                                                                                         \
    }                                                                                                                  \
  } while (0)

static const char *entry = "forward";

static SesameTensor ids_tensor(const char *name, int64_t *ids, int64_t rows, int64_t length) {
  SesameTensor tensor;
  memset(&tensor, 0, sizeof(tensor));
  tensor.name = name;
  tensor.type = SESAME_I64;
  tensor.rank = 2;
  tensor.shape[0] = rows;
  tensor.shape[1] = length;
  tensor.data = ids;
  return tensor;
}

static void describe(const SesameModel *model) {
  SesameTensorInfo info;
  size_t i;
  memset(&info, 0, sizeof(info));
  info.size = sizeof(info);
  EXPECT(sesame_model_num_entries(model) == 2);
  EXPECT(strcmp(sesame_model_entry_name(model, 1), "decode") == 0);
  EXPECT(sesame_model_entry_name(model, 2) == NULL);
  for (i = 0; sesame_model_input(model, "decode", i, &info) == SESAME_OK; ++i)
    printf("%s %d rank %d optional %d state %d\n", info.name, (int)info.type, (int)info.rank, (int)info.is_optional,
           (int)info.is_state);
  /* CHECK:      input_ids 8 rank 2 optional 0 state 0
     CHECK-NEXT: attention_mask 8 rank 2 optional 1 state 0
     CHECK-NEXT: cache 11 rank 5 optional 0 state 1
   */
  EXPECT(i == 3 && info.shape[0] == 3 && info.symbols[0] == NULL && info.shape[3] == -1);
  EXPECT(strcmp(info.symbols[3], "C") == 0);
  printf("%s\n", sesame_last_error());
  /* CHECK-NEXT: entry 'decode' has 3 inputs, no number 3
   */
  EXPECT(sesame_model_output(model, "decode", 0, &info) == SESAME_OK && strcmp(info.name, "logits") == 0);
  EXPECT(sesame_model_output(model, "backward", 0, &info) == SESAME_NOT_FOUND);
  info.size = sizeof(info) + 8;
  EXPECT(sesame_model_output(model, "decode", 0, &info) == SESAME_INVALID_ARGUMENT);
  /* A caller of an older header, without the last field. */
  info.size = offsetof(SesameTensorInfo, is_state);
  info.is_state = 77;
  EXPECT(sesame_model_input(model, "decode", 2, &info) == SESAME_OK && info.is_state == 77);
  EXPECT(strstr(sesame_model_manifest(model), "\"sesame_bundle\"") != NULL);
}

static void tokens(const SesameModel *model) {
  int64_t *ids = NULL;
  int64_t negative = -1;
  size_t count = 0;
  char *text = NULL;
  EXPECT(sesame_model_encode(model, "Hello, wide world!", 1, &ids, &count) == SESAME_OK && count > 3);
  EXPECT(sesame_model_decode(model, ids, count, 1, &text) == SESAME_OK);
  printf("%s\n", text);
  /* CHECK-NEXT: {{^}}Hello, wide world!{{$}}
   */
  sesame_free(text);
  sesame_free(ids);
  EXPECT(sesame_model_encode(model, "\xff", 1, &ids, &count) == SESAME_INVALID_ARGUMENT);
  EXPECT(sesame_model_decode(model, &negative, 1, 1, &text) == SESAME_INVALID_ARGUMENT);
  EXPECT(sesame_model_decode(model, NULL, 1, 1, &text) == SESAME_INVALID_ARGUMENT);
}

static void run(SesameSession *session) {
  int64_t ids[6] = {5, 96, 0, 7, 33, 2}, mask[6] = {1, 1, 0, 1, 1, 1};
  float own[30];
  SesameTensor inputs[2], output;
  int i;
  inputs[0] = ids_tensor("attention_mask", mask, 2, 3);
  inputs[1] = ids_tensor("input_ids", ids, 2, 3);
  memset(&output, 0, sizeof(output));
  output.name = "logits";
  EXPECT(sesame_session_run(session, entry, inputs, 2, &output, 1) == SESAME_OK);
  EXPECT(output.type == SESAME_F32 && output.rank == 3 && output.shape[0] == 2 && output.shape[2] == 5);
  printf("logits %g %g %g\n", ((float *)output.data)[0], ((float *)output.data)[10], ((float *)output.data)[29]);
  /* table[5] . projection[:, 0]; masked; (table[2] + 2) . projection[:, 4]
     CHECK-NEXT: logits -2.625 0 1.01562
   */
  memcpy(own, output.data, sizeof(own));
  memset(((float *)output.data), 0, sizeof(own));
  output.data = own;
  for (i = 0; i < 30; ++i)
    own[i] = -own[i] - 1;
  EXPECT(sesame_session_run(session, entry, inputs, 2, &output, 1) == SESAME_OK && output.data == own);
  printf("own %g %g\n", own[0], own[10]);
  /* CHECK-NEXT: own -2.625 0
   */

  output.shape[1] = 4;
  EXPECT(sesame_session_run(session, entry, inputs, 2, &output, 1) == SESAME_INVALID_ARGUMENT);
  printf("%s\n", sesame_last_error());
  /* CHECK-NEXT: entry 'forward', output 'logits': expected f32[2, 3, 5], got f32[2, 4, 5]
   */
  output.name = "digits";
  EXPECT(sesame_session_run(session, entry, inputs, 2, &output, 1) == SESAME_NOT_FOUND);
  EXPECT(sesame_session_run(session, "backward", inputs, 2, NULL, 0) == SESAME_NOT_FOUND);
  ids[3] = 97;
  EXPECT(sesame_session_run(session, entry, inputs, 2, NULL, 0) == SESAME_INVALID_ARGUMENT);
  printf("%s\n", sesame_last_error());
  /* CHECK-NEXT: {{.*}}.bundle: entry 'forward': input_ids[1, 0] = 97: expected 0 <= id < 97
   */
  inputs[1].rank = 9;
  EXPECT(sesame_session_run(session, entry, inputs, 2, NULL, 0) == SESAME_INVALID_ARGUMENT);
  inputs[1].rank = 2;
  inputs[1].type = (SesameType)99;
  EXPECT(sesame_session_run(session, entry, inputs, 2, NULL, 0) == SESAME_INVALID_ARGUMENT);
  inputs[1].name = NULL;
  EXPECT(sesame_session_run(session, entry, inputs, 2, NULL, 0) == SESAME_INVALID_ARGUMENT);
  EXPECT(sesame_session_run(session, entry, NULL, 2, NULL, 0) == SESAME_INVALID_ARGUMENT);
  EXPECT(sesame_session_run(NULL, entry, inputs, 2, NULL, 0) == SESAME_INVALID_ARGUMENT);
  EXPECT(sesame_session_run(session, NULL, inputs, 2, NULL, 0) == SESAME_INVALID_ARGUMENT);
}

static void states(SesameSession *session) {
  int64_t ids[2] = {3, 4};
  SesameTensor input = ids_tensor("input_ids", ids, 1, 2), mask, state, output;
  int64_t ones[2] = {1, 1};
  mask = ids_tensor("attention_mask", ones, 1, 2);
  memset(&output, 0, sizeof(output));
  output.name = "logits";
  EXPECT(sesame_session_state(session, "cache", &state) == SESAME_NOT_FOUND);
  EXPECT(sesame_session_reset(session, 0, 7) == SESAME_INVALID_ARGUMENT);
  EXPECT(sesame_session_reset(session, 1, 7) == SESAME_OK);
  {
    SesameTensor inputs[2];
    inputs[0] = input;
    inputs[1] = mask;
    EXPECT(sesame_session_run(session, "decode", inputs, 2, &output, 1) == SESAME_OK);
  }
  EXPECT(sesame_session_state(session, "cache", &state) == SESAME_OK);
  EXPECT(state.rank == 5 && state.shape[3] == 7);
  printf("cache %g %g %g, logits %g\n", ((float *)state.data)[0], ((float *)state.data)[4], ((float *)state.data)[8],
         ((float *)output.data)[0]);
  /* CHECK-NEXT: cache 3 4 0, logits 14
   */
}

static int32_t stop_after_three(void *user_data, int64_t row, int64_t token) {
  int *count = user_data;
  EXPECT(row == 0 && token == 2);
  return ++*count == 3;
}

static void generate(SesameSession *session) {
  /* Of the model's three logits the last is always the largest. */
  int64_t ids[6] = {1, 2, 0, 0, 1, 1}, mask[6] = {1, 1, 1, 0, 1, 1};
  SesameGeneration *generation = NULL;
  SesameGenerateOptions options;
  int count = 0;
  memset(&options, 0, sizeof(options));
  options.size = sizeof(options);
  options.config_json = "{\"max_new_tokens\": 4, \"eos_token_id\": null}";
  EXPECT(sesame_session_generate(session, ids, mask, 2, 3, &options, &generation) == SESAME_OK);
  printf("%d x %d from %d: %d %d %d %d, %d\n", (int)generation->rows, (int)generation->length,
         (int)generation->prompt_length, (int)generation->ids[7], (int)generation->ids[9], (int)generation->ids[10],
         (int)generation->ids[13], (int)generation->new_tokens[1]);
  /* CHECK-NEXT: 2 x 7 from 3: 0 1 2 2, 4
   */
  EXPECT(generation->scores == NULL);
  sesame_generation_free(generation);
  options.on_token = stop_after_three;
  options.user_data = &count;
  EXPECT(sesame_session_generate(session, ids, NULL, 1, 3, &options, &generation) == SESAME_OK);
  EXPECT(generation->length == 6 && count == 3);
  sesame_generation_free(generation);
  options.on_token = NULL;
  options.config_json = "{\"max_new_tokens\": 4, \"num_beams\": 2, \"eos_token_id\": null}";
  EXPECT(sesame_session_generate(session, ids, NULL, 1, 3, &options, &generation) == SESAME_OK);
  EXPECT(generation->scores != NULL && generation->ids[6] == 2);
  sesame_generation_free(generation);
  options.config_json = "{\"max_new_tokens\": \"many\"}";
  EXPECT(sesame_session_generate(session, ids, NULL, 1, 3, &options, &generation) == SESAME_INVALID_ARGUMENT);
  printf("%s\n", sesame_last_error());
  /* CHECK-NEXT: config_json{{.*}}max_new_tokens
   */
  EXPECT(generation == NULL);
  options.config_json = "[]";
  EXPECT(sesame_session_generate(session, ids, NULL, 1, 3, &options, &generation) == SESAME_INVALID_ARGUMENT);
  EXPECT(sesame_session_generate(session, ids, NULL, 0, 3, NULL, &generation) == SESAME_INVALID_ARGUMENT);
  EXPECT(sesame_session_generate(session, NULL, NULL, 1, 3, NULL, &generation) == SESAME_INVALID_ARGUMENT);
  sesame_generation_free(NULL);
}

int main(int argc, char **argv) {
  SesameModel *model = NULL;
  SesameSession *session = NULL;
  SesameSessionOptions options;
  char *text = NULL;
  EXPECT(argc == 2);
  EXPECT(strcmp(sesame_last_error(), "") == 0);
  EXPECT(strlen(sesame_version()) >= 5);
  EXPECT(sesame_type_size(SESAME_BF16) == 2 && sesame_type_size((SesameType)99) == 0);
  EXPECT(sesame_model_open(NULL, &model) == SESAME_INVALID_ARGUMENT);
  EXPECT(sesame_model_open(argv[1], NULL) == SESAME_INVALID_ARGUMENT);
  EXPECT(sesame_model_open("no/such/bundle", &model) == SESAME_INVALID_BUNDLE && model == NULL);
  EXPECT(strstr(sesame_last_error(), "no/such/bundle") != NULL);
  EXPECT(sesame_model_open(argv[1], &model) == SESAME_OK);
  describe(model);

  memset(&options, 0, sizeof(options));
  EXPECT(sesame_session_create(model, &options, &session) == SESAME_INVALID_ARGUMENT && session == NULL);
  options.size = sizeof(options);
  options.num_threads = -1;
  EXPECT(sesame_session_create(model, &options, &session) == SESAME_INVALID_ARGUMENT);
  options.num_threads = 2;
  options.profile = 1;
  EXPECT(sesame_session_create(model, &options, &session) == SESAME_OK);
  tokens(model);
  sesame_model_close(model); /* the session keeps what it needs */
  run(session);
  states(session);
  generate(session);
  EXPECT(sesame_session_profile_table(session, &text) == SESAME_OK && strstr(text, "sesame.linear") != NULL);
  sesame_free(text);
  EXPECT(sesame_session_profile_trace(session, &text) == SESAME_OK && strstr(text, "traceEvents") != NULL);
  sesame_free(text);
  sesame_session_destroy(session);

  EXPECT(sesame_model_open(argv[1], &model) == SESAME_OK);
  EXPECT(sesame_session_create(model, NULL, &session) == SESAME_OK);
  EXPECT(sesame_session_profile_table(session, &text) == SESAME_INVALID_ARGUMENT);
  sesame_session_destroy(session);
  sesame_model_close(model);
  sesame_session_destroy(NULL);
  sesame_model_close(NULL);
  sesame_free(NULL);
  printf("done\n");
  /* CHECK-NEXT: done
   */
  return 0;
}
