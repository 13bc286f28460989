/** The layers of decoder families, written into a graph; not an API. */
@NullMarked
package dev.pollux.inference.internal.layer;

import org.jspecify.annotations.NullMarked;
