/** The architectures of decoders, one class each; not an API. */
@NullMarked
package dev.pollux.inference.internal.architecture;

import org.jspecify.annotations.NullMarked;
