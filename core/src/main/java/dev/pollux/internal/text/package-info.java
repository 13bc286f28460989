/** Reading text: Markdown blocks, sentences, words. Not part of the contract. */
@NullMarked
package dev.pollux.internal.text;

import org.jspecify.annotations.NullMarked;
