/** Conversion of text to tokens and back: tokenizer.json files, and tokenizers rebuilt from GGUF metadata. */
@NullMarked
package dev.pollux.inference.tokenizer;

import org.jspecify.annotations.NullMarked;
