/** Merging of checkpoints: merge methods, mergekit's plan format, and a merger that streams tensors. */
@NullMarked
package dev.pollux.finetune.merge;

import org.jspecify.annotations.NullMarked;
