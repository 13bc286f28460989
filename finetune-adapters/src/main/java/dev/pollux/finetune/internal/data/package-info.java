/** Files of rows; not an API. */
@NullMarked
package dev.pollux.finetune.internal.data;

import org.jspecify.annotations.NullMarked;
