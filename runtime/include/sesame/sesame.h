/*===- sesame.h - Run compiled models from C ---------------------------------===*\
|*                                                                              *|
|* Part of the Sesame project, under the Apache License v2.0 with LLVM          *|
|* Exceptions. See LICENSE for license information.                             *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                      *|
|*                                                                              *|
|*===-------------------------------------------------------------------------===*|
|*                                                                              *|
|* C99, and C++. A model is immutable and may be used by many threads at once;  *|
|* a session (memory and threads to run it) by one thread at a time.            *|
|* Every function that returns a SesameStatus leaves a message for              *|
|* sesame_last_error() when it fails.                                           *|
|*                                                                              *|
\*===-------------------------------------------------------------------------===*/

#ifndef SESAME_SESAME_H
#define SESAME_SESAME_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define SESAME_API __attribute__((visibility("default")))
#else
#define SESAME_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/// What came of a call.
typedef enum SesameStatus {
  SESAME_OK = 0,
  SESAME_INVALID_ARGUMENT =
      1, ///< The caller's fault: a null pointer, a count, name, type, extent or value that does not match.
  SESAME_NOT_FOUND = 2,      ///< No entry, input, output or state of this name or number.
  SESAME_INVALID_BUNDLE = 3, ///< The bundle is missing, broken, of another version or for another CPU.
  SESAME_OUT_OF_MEMORY = 4,
  SESAME_INTERNAL_ERROR = 5 ///< A defect of the library.
} SesameStatus;

/// Element types that models take and give.
typedef enum SesameType {
  SESAME_I1 = 0, ///< One byte an element, 0 or 1.
  SESAME_U8 = 1,
  SESAME_I8 = 2,
  SESAME_U16 = 3,
  SESAME_I16 = 4,
  SESAME_U32 = 5,
  SESAME_I32 = 6,
  SESAME_U64 = 7,
  SESAME_I64 = 8,
  SESAME_F16 = 9,
  SESAME_BF16 = 10,
  SESAME_F32 = 11,
  SESAME_F64 = 12
} SesameType;

/// Most axes a tensor may have.
#define SESAME_MAX_RANK 8

/// A dense, row-major tensor. The memory stays with whoever made it.
typedef struct SesameTensor {
  const char *name;
  SesameType type;
  int32_t rank;
  int64_t shape[SESAME_MAX_RANK];
  void *data; ///< Never written through if the tensor is an input.
} SesameTensor;

/// What an entry expects or gives. Strings live as long as the model.
typedef struct SesameTensorInfo {
  size_t size; ///< Set to sizeof(SesameTensorInfo) before the call.
  const char *name;
  SesameType type;
  int32_t rank;
  int64_t shape[SESAME_MAX_RANK];       ///< -1: any extent, but equal wherever the same symbol stands.
  const char *symbols[SESAME_MAX_RANK]; ///< The symbol's name ("B", "S") where `shape` is -1, else null.
  int32_t is_optional;                  ///< 1: the input may be left out.
  int32_t is_state; ///< 1: kept by the session, see sesame_session_reset; no input to give.
} SesameTensorInfo;

typedef struct SesameSessionOptions {
  size_t size;         ///< Set to sizeof(SesameSessionOptions).
  int32_t num_threads; ///< 0: as many as the process may run on.
  int32_t profile;     ///< 1: collect the time of every op.
} SesameSessionOptions;

typedef struct SesameModel SesameModel;
typedef struct SesameSession SesameSession;

/// "0.1.0".
SESAME_API const char *sesame_version(void);

/// One line about this thread's last call that failed; "" if none did. Valid until the thread's next failing
/// call.
SESAME_API const char *sesame_last_error(void);

/// Bytes of an element; 0 for a number that is no type.
SESAME_API size_t sesame_type_size(SesameType type);

/// Loads the bundle in directory `path`. A bundle contains machine code: open only what you trust.
/// SESAME_INVALID_BUNDLE if it cannot be used here.
SESAME_API SesameStatus sesame_model_open(const char *path, SesameModel **model);

/// Lets go of the model; sessions made from it stay usable. Null is allowed.
SESAME_API void sesame_model_close(SesameModel *model);

/// The bundle's manifest.json as text (configuration, token ids, provenance), valid as long as the model.
SESAME_API const char *sesame_model_manifest(const SesameModel *model);

SESAME_API size_t sesame_model_num_entries(const SesameModel *model);
/// Null past the last.
SESAME_API const char *sesame_model_entry_name(const SesameModel *model, size_t index);

/// Describes an input (states among them) or an output of `entry`; SESAME_NOT_FOUND if there is no such
/// entry, or `index` is past the last.
SESAME_API SesameStatus sesame_model_input(const SesameModel *model, const char *entry, size_t index,
                                           SesameTensorInfo *info);
SESAME_API SesameStatus sesame_model_output(const SesameModel *model, const char *entry, size_t index,
                                            SesameTensorInfo *info);

/// `options` may be null: one thread a CPU, no profile.
SESAME_API SesameStatus sesame_session_create(const SesameModel *model, const SesameSessionOptions *options,
                                              SesameSession **session);
/// Null is allowed.
SESAME_API void sesame_session_destroy(SesameSession *session);

/// Allocates the states for `batch` rows of at most `capacity` positions and sets them to zero; what had been
/// in them is gone. Only entries with states need it.
SESAME_API SesameStatus sesame_session_reset(SesameSession *session, int64_t batch, int64_t capacity);

/// Where a state lies now. It may be read and written until the next reset.
SESAME_API SesameStatus sesame_session_state(SesameSession *session, const char *name, SesameTensor *state);

/// Runs `entry`. Inputs are found by name, in any order; optional ones may be left out. Outputs too, and
/// those not asked for are not returned. An output whose `data` is null is pointed at the session's memory,
/// valid until its next run, and gets its type and shape; otherwise type, rank and shape must be what comes
/// out, and `data` has room for it and does not overlap an input.
///
/// SESAME_NOT_FOUND if there is no such entry or output, SESAME_INVALID_ARGUMENT if an input is missing,
/// unknown, or has a wrong type, shape or value; then nothing was run and sesame_last_error() names the
/// tensor and the axis.
SESAME_API SesameStatus sesame_session_run(SesameSession *session, const char *entry,
                                           const SesameTensor *inputs, size_t num_inputs,
                                           SesameTensor *outputs, size_t num_outputs);

/// The profile so far as a text table, or as JSON in Chrome's trace format. `text` is to be freed by
/// sesame_free. SESAME_INVALID_ARGUMENT if the session was made without `profile`.
SESAME_API SesameStatus sesame_session_profile_table(SesameSession *session, char **text);
SESAME_API SesameStatus sesame_session_profile_trace(SesameSession *session, char **text);

/// Called for each new token as it is chosen (by beam search: at the end, row by row). Not 0: stop after this step.
typedef int32_t (*SesameTokenCallback)(void *user_data, int64_t row, int64_t token);

typedef struct SesameGenerateOptions {
  size_t size; ///< Set to sizeof(SesameGenerateOptions).
  /// Fields of Hugging Face's GenerationConfig as a JSON object, over those of the bundle; may be null. Example:
  /// {"max_new_tokens": 40, "num_beams": 4}, {"do_sample": true, "temperature": 0.8, "seed": 1}.
  const char *config_json;
  SesameTokenCallback on_token; ///< May be null.
  void *user_data;              ///< For `on_token`.
} SesameGenerateOptions;

/// Several sequences of equal length, shorter ones padded at the right.
typedef struct SesameGeneration {
  int64_t rows;          ///< Rows of the prompt times `num_return_sequences`.
  int64_t length;        ///< Of each row, prompt included.
  int64_t prompt_length; ///< Where the new tokens start.
  int64_t *ids;          ///< [rows, length]
  int64_t *new_tokens;   ///< [rows]: how many of the tokens after the prompt are no padding.
  float *scores;         ///< [rows]: of beam search; null otherwise.
} SesameGeneration;

/// Continues token ids [rows, length] with the model's entry `decode`: greedy search, beam search or sampling, as the bundle's
/// generation_config.json and the options say. Prompts of unequal length are padded on the left and have a `mask` [rows, length]
/// with 0 at padding; null: no padding. The session's states are overwritten. `generation` is to be freed by
/// sesame_generation_free.
///
/// A model with an entry `encode` (an encoder and a decoder) reads the ids as its source, padded on either side, and
/// the sequences are the decoder's: one start token, then what was generated.
///
/// SESAME_NOT_FOUND if the model has no entry `decode`.
SESAME_API SesameStatus sesame_session_generate(SesameSession *session, const int64_t *ids, const int64_t *mask,
                                                int64_t rows, int64_t length, const SesameGenerateOptions *options,
                                                SesameGeneration **generation);
/// Null is allowed.
SESAME_API void sesame_generation_free(SesameGeneration *generation);

/// The token ids of UTF-8 `text` by the bundle's tokenizer, with the special tokens that the model expects around a text if
/// `add_special_tokens` is not 0. `ids` is to be freed by sesame_free. SESAME_INVALID_BUNDLE if there is no tokenizer.
SESAME_API SesameStatus sesame_model_encode(const SesameModel *model, const char *text, int32_t add_special_tokens,
                                            int64_t **ids, size_t *num_ids);
/// The text of token ids, without special tokens if `skip_special_tokens` is not 0. `text` is to be freed by sesame_free.
SESAME_API SesameStatus sesame_model_decode(const SesameModel *model, const int64_t *ids, size_t num_ids,
                                            int32_t skip_special_tokens, char **text);

/// Frees text and ids that this library returned. Null is allowed.
SESAME_API void sesame_free(void *memory);

#ifdef __cplusplus
}
#endif

#endif /* SESAME_SESAME_H */
