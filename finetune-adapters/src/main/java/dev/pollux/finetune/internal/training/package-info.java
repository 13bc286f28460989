/** Models that run forwards and backwards, layer by layer; not an API. */
@NullMarked
package dev.pollux.finetune.internal.training;

import org.jspecify.annotations.NullMarked;
