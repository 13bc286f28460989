/** Reverse-mode differentiation of graphs, one class an operator; not an API. */
@NullMarked
package dev.pollux.finetune.internal.differentiation;

import org.jspecify.annotations.NullMarked;
