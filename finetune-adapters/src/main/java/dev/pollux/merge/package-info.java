/** Merging checkpoints: the methods, mergekit's plans as they are, and the merger that streams tensors. */
@NullMarked
package dev.pollux.merge;

import org.jspecify.annotations.NullMarked;
