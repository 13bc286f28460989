/** Measures of what a model answers to questions about passages. */
@NullMarked
package dev.pollux.finetune.evaluate;

import org.jspecify.annotations.NullMarked;
