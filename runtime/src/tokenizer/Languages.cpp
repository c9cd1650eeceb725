//===- Languages.cpp - Languages that tokenizers know by their class -===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Languages.h"

namespace sesame {

/// The first 25 are those of the first mBART.
static const char *const mbartLanguages[] = {
    "ar_AR", "cs_CZ", "de_DE", "en_XX", "es_XX", "et_EE", "fi_FI", "fr_XX", "gu_IN", "hi_IN", "it_IT",
    "ja_XX", "kk_KZ", "ko_KR", "lt_LT", "lv_LV", "my_MM", "ne_NP", "nl_XX", "ro_RO", "ru_RU", "si_LK",
    "tr_TR", "vi_VN", "zh_CN", "af_ZA", "az_AZ", "bn_IN", "fa_IR", "he_IL", "hr_HR", "id_ID", "ka_GE",
    "km_KH", "mk_MK", "ml_IN", "mn_MN", "mr_IN", "pl_PL", "ps_AF", "pt_XX", "sv_SE", "sw_KE", "ta_IN",
    "te_IN", "th_TH", "tl_XX", "uk_UA", "ur_PK", "xh_ZA", "gl_ES", "sl_SI"};
static const char *const m2m100Languages[] = {
    "af", "am", "ar", "ast", "az", "ba",  "be", "bg", "bn", "br", "bs", "ca", "ceb", "cs", "cy", "da", "de",
    "el", "en", "es", "et",  "fa", "ff",  "fi", "fr", "fy", "ga", "gd", "gl", "gu",  "ha", "he", "hi", "hr",
    "ht", "hu", "hy", "id",  "ig", "ilo", "is", "it", "ja", "jv", "ka", "kk", "km",  "kn", "ko", "lb", "lg",
    "ln", "lo", "lt", "lv",  "mg", "mk",  "ml", "mn", "mr", "ms", "my", "ne", "nl",  "no", "ns", "oc", "or",
    "pa", "pl", "ps", "pt",  "ro", "ru",  "sd", "si", "sk", "sl", "so", "sq", "sr",  "ss", "su", "sv", "sw",
    "ta", "th", "tl", "tn",  "tr", "uk",  "ur", "uz", "vi", "wo", "xh", "yi", "yo",  "zh", "zu"};
static const char *const wmt21Languages[] = {"en", "ha", "is", "ja", "cs", "ru", "zh", "de"};

std::vector<std::string> languageTokens(const std::string &kind, const std::string &codes) {
  if (kind == "MBart")
    return {mbartLanguages, mbartLanguages + 25};
  if (kind == "MBart50")
    return {std::begin(mbartLanguages), std::end(mbartLanguages)};
  std::vector<std::string> tokens;
  if (kind != "M2M100")
    return tokens;
  if (codes == "wmt21")
    tokens = {std::begin(wmt21Languages), std::end(wmt21Languages)};
  else
    tokens = {std::begin(m2m100Languages), std::end(m2m100Languages)};
  for (std::string &token : tokens)
    token = "__" + token + "__";
  return tokens;
}

} // namespace sesame
