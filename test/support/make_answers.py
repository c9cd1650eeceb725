#!/usr/bin/env python3
"""Records what transformers 4 answers with a beam head: a small SentencePiece vocabulary for a checkpoint of XLNetForQuestionAnswering, and
the best spans by compute_predictions_log_probs() of its SQuAD metrics, which transformers 5 no longer has.

usage: make_answers.py CHECKPOINT OUT
  CHECKPOINT  a case of test/fixtures/models
  OUT         the folder for spiece.model, tokenizer_config.json and answers.json
"""
import io
import json
import shutil
import sys
import tempfile

import sentencepiece
import torch
from transformers import XLNetForQuestionAnswering, XLNetTokenizer
from transformers.data.metrics.squad_metrics import compute_predictions_log_probs
from transformers.data.processors.squad import SquadExample, SquadResult, squad_convert_examples_to_features

CONTEXT = ("the old sailor told the children a story about an island where the birds could speak and the rivers ran uphill "
           "nobody believed him but the youngest child went home and drew a map of the island with every river and bird")
QUESTIONS = ["who drew a map of the island", "what could the birds do", "where did the rivers run uphill"]
# Tokens that are read at once, those that two windows share, the longest answer.
SETTINGS = [(384, 128, 15), (72, 16, 8)]


def main():
    checkpoint, out = sys.argv[1:]
    model = XLNetForQuestionAnswering.from_pretrained(checkpoint).eval()
    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([CONTEXT, *QUESTIONS]), model_writer=trained, vocab_size=model.config.vocab_size, hard_vocab_limit=False, unk_id=0, bos_id=1,
        eos_id=2, pad_id=-1, control_symbols=["<cls>", "<sep>", "<pad>", "<mask>", "<eod>", "<eop>"], num_threads=1, normalization_rule_name="identity", minloglevel=1)
    with open(f"{out}/spiece.model", "wb") as file:
        file.write(trained.getvalue())
    with open(f"{out}/tokenizer_config.json", "w") as file:
        file.write(json.dumps({"tokenizer_class": "XLNetTokenizer", "padding_side": "left"}) + "\n")
    tokenizer = XLNetTokenizer(f"{out}/spiece.model")
    scratch = tempfile.mkdtemp()
    cases = []
    for question in QUESTIONS:
        for window, overlap, longest in SETTINGS:
            example = SquadExample(qas_id="0", question_text=question, context_text=CONTEXT, answer_text=None, start_position_character=None, title="")
            room = window - len(tokenizer.encode(question, add_special_tokens=False)) - 3
            features = squad_convert_examples_to_features([example], tokenizer, max_seq_length=window, doc_stride=room - overlap, max_query_length=64,
                                                          is_training=False, padding_strategy="do_not_pad", tqdm_enabled=False)
            results = []
            for feature in features:
                row = lambda values, kind=torch.long: torch.tensor([values], dtype=kind)
                with torch.no_grad():
                    given = model(input_ids=row(feature.input_ids), attention_mask=row(feature.attention_mask), token_type_ids=row(feature.token_type_ids),
                                  cls_index=torch.tensor([feature.cls_index]), p_mask=row(feature.p_mask, torch.float))
                # These fields carry probabilities, whatever their names say.
                results.append(SquadResult(feature.unique_id, given.start_top_log_probs[0].tolist(), given.end_top_log_probs[0].tolist(),
                                           start_top_index=given.start_top_index[0].tolist(), end_top_index=given.end_top_index[0].tolist(),
                                           cls_logits=given.cls_logits[0].item()))
            files = [f"{scratch}/{name}.json" for name in ("predictions", "nbest", "odds")]
            compute_predictions_log_probs([example], features, results, 20, longest, *files, model.config.start_n_top, model.config.end_n_top, True, tokenizer, False)
            best = [{"answer": each["text"], "score": each["probability"]} for each in json.load(open(files[1]))["0"]]
            cases.append({"question": question, "context": CONTEXT, "window": window, "overlap": overlap, "longest": longest, "windows": len(features),
                          "answers": best, "no_answer_log_odds": json.load(open(files[2]))["0"]})
    shutil.rmtree(scratch)
    with open(f"{out}/answers.json", "w") as file:
        file.write(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()
